"""Plots that wait for their frame."""

from __future__ import annotations

from airpicture.reports import Reports


class Line:
    """Plots of frames to come, in order of time; they leave from its front."""

    def __init__(self) -> None:
        self._reports: Reports | None = None
        self._gone = 0  # of these, from the front
        self.first_ns: int | None = None  # time of the first one; None: nobody waits

    @property
    def waiting(self) -> Reports | None:
        """Those that wait, as views."""
        if self._reports is None or self._gone == 0:
            return self._reports
        return self._reports.part(self._gone, self._reports.size)

    def put(self, reports: Reports) -> None:
        """Put plots in line, at equal times behind those that wait."""
        before = self.waiting
        self._set(reports if before is None else before.join(reports), 0)

    def take(self, before_ns: int) -> Reports | None:
        """Let the plots before a time go, and return them, as views; None where there are none."""
        if self._reports is None or self.first_ns is None or self.first_ns >= before_ns:
            return None
        gone = self._gone
        to = int(self._reports.t_ns.searchsorted(before_ns))
        taken = self._reports.part(gone, to)
        self._set(self._reports, to)
        return taken

    def _set(self, reports: Reports, gone: int) -> None:
        left = gone < reports.size
        self._reports, self._gone = (reports, gone) if left else (None, 0)
        self.first_ns = int(reports.t_ns[gone]) if left else None
