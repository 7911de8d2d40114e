"""The picture of one instant, worked out when it's first looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from airpicture.tables import I64, Tracks
from airpicture.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

Maker: TypeAlias = Callable[[], tuple[Tracks, I64]]  # tracks and changed


class Picture:
    """What the tracker knows at one instant.

    A picture that the tracker hands out is worked out when somebody first asks for its tracks, from the tracker's
    store; before the tracker changes that store it calls `settle`. So a picture always tells of its own time, and one
    that nobody keeps costs nothing.

    Parameters
    ----------
    t_ns : ns UTC, the time that all states are predicted to
    tracks : tentative, confirmed and coasting ones, and those that ended in this step (with their last state); no
        number twice: one that ended and was taken up again in the same step (`tracks.revival`) lives
    changed : rows of `tracks` that this step changed: a plot came in, the status moved, it began or ended
    counts : since the tracker began: plots received, refused by reason, bounds reached, clusters
    make_moved : works out the changed rows alone, for a picture that isn't worked out yet
    """

    __slots__ = ("__weakref__", "_changed", "_make", "_make_moved", "_moved", "_tracks", "counts", "t_ns")

    def __init__(
        self,
        t_ns: int,
        tracks: Tracks | Maker,
        changed: I64 | None = None,
        *,
        counts: dict[str, int],
        make_moved: Callable[[], Tracks] | None = None,
    ) -> None:
        self.t_ns = t_ns
        self.counts = counts
        self._tracks: Tracks | None = None
        self._changed: I64 | None = changed
        self._make: Maker | None = None
        self._make_moved = make_moved
        self._moved: Tracks | None = None
        if isinstance(tracks, Tracks):
            assert changed is not None
            self._tracks = tracks
        else:
            self._make = tracks

    def settle(self) -> None:
        """Work the picture out, if that hasn't been done: from now on it doesn't need the tracker."""
        if self._make is not None:
            self._tracks, self._changed = self._make()
            self._make = self._make_moved = None

    def moved(self) -> Tracks:
        """Return the changed rows of `tracks`, in their order, without working out the others where nobody asked yet.

        Most steps of a large picture change a hundredth of it. Not asked for before the tracker's next step, it costs
        as much as the whole.
        """
        if self._moved is None:
            self._moved = self.tracks.take(self.changed) if self._make_moved is None else self._make_moved()
        return self._moved

    @property
    def tracks(self) -> Tracks:
        """Tracks, predicted to the time of the picture."""
        self.settle()
        assert self._tracks is not None
        return self._tracks

    @property
    def changed(self) -> I64:
        """Rows of `tracks` that the step changed."""
        self.settle()
        assert self._changed is not None
        return self._changed

    def __len__(self) -> int:
        return len(self.tracks)

    def __repr__(self) -> str:
        told = "not looked at yet" if self._tracks is None else counted(len(self._tracks), "track")
        return f"Picture(t_ns={self.t_ns}, {told})"

    def to_arrow(self) -> pa.Table:
        """Return the columns of a ``tracks`` file."""
        return self.tracks.to_arrow()
