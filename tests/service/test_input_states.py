"""How inputs do, in a word: told from what was counted of them."""

from __future__ import annotations

from airpicture.service.inputstates import QUIET_S, InputStates


def test_an_input_from_its_first_failure_to_its_last_word() -> None:
    states = InputStates(["beast"])

    def look(at_s: float, **counts: int) -> str:
        (found,) = states.look({"beast": counts}, at_s)
        assert found["name"] == "beast"
        return found["state"]

    assert look(0) == "nothing"
    assert look(1, connect_failures=1) == "unreached"
    assert look(2, connect_failures=2, connected=1) == "unreached"
    assert look(3, connect_failures=2, connected=1, received=5) == "reports"
    assert look(10, connect_failures=2, connected=1, received=5) == "reports"
    assert look(3.1 + QUIET_S, connect_failures=2, connected=1, received=5) == "quiet"
    assert look(40, connect_failures=3, connected=1, received=5) == "lost"
    assert look(50, connect_failures=3, connected=2, received=9) == "reports"
    assert look(60, received=0) == "nothing"  # the process that receives was started again
    assert look(61, received=2) == "reports"


def test_each_input_by_itself_in_the_order_of_the_settings() -> None:
    states = InputStates(["b", "a"])
    told = states.look({"a": {"received": 1}, "c": {"received": 1}, "b": {"errors": 1}}, 0.0)
    assert told == [{"name": "b", "state": "unreached"}, {"name": "a", "state": "reports"}]
