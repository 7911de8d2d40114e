"""How inputs do, in a word: told from what was counted of them."""

from __future__ import annotations

from airpicture.service.inputstates import QUIET_S, UNREAD_S, InputStates


def test_an_input_from_its_first_failure_to_its_last_word() -> None:
    states = InputStates(["beast"])

    def look(at_s: float, **counts: int) -> str:
        (found,) = states.look({"beast": counts}, ["beast"], at_s)
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
    told = states.look({"a": {"received": 1}, "c": {"received": 1}, "b": {"errors": 1}}, "ab", 0.0)
    assert told == [{"name": "b", "state": "unreached"}, {"name": "a", "state": "reports"}]


def test_bytes_that_nobody_understands_are_no_sign_of_life() -> None:
    states = InputStates(["beast"])

    def look(at_s: float, told: tuple[str, ...] = (), **counts: int) -> str:
        return states.look({"beast": counts}, told, at_s)[0]["state"]

    assert look(0) == "nothing"
    assert look(5, received=3, journalled=3) == "reports"  # it has just begun
    assert look(20, received=9, journalled=9) == "reports"
    assert look(6 + UNREAD_S, received=12, journalled=12) == "unread"
    assert look(7 + UNREAD_S, ("beast",), received=13, journalled=13) == "reports"
    assert look(100, received=13, journalled=13) == "quiet"
    twin = InputStates(["beast"])
    twin.look({"beast": {"received": 1, "twin_dropped": 1}}, (), 0.0)
    assert twin.look({"beast": {"received": 9, "twin_dropped": 9}}, (), 60.0)[0]["state"] == "reports"
