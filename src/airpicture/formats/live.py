"""What every decoder of a live stream offers: bytes as they come in, plots out, counts of all that was refused.

Decoders never wait, read no clock and open nothing (h11's way): whoever holds the socket feeds them, and says when the
bytes were received. The same bytes and times give the same plots, however they were cut.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from airpicture.tables import Plots


class LiveDecoder(Protocol):
    """Turns one stream of bytes into plots."""

    counts: Counter[str]  # records by what became of them: "decoded ...", "refused ..."; they add up to all received

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, or one datagram, and return the plots that became whole with them.

        Parameters
        ----------
        data : cut anywhere where the transport is a stream; whole where it's datagrams
        received_ns : ns UTC when the last of them was received
        """
        ...
