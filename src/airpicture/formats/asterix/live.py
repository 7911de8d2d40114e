"""ASTERIX as it arrives: datagrams or a stream in, plots out, with every block and report accounted for.

The reader of recordings looks at a whole file before it decides; here a datagram is decided on as it comes. So sensors
are those that were described, times of day go to the day on which they lie nearest to their reception, and a report
without a time gets that of its reception. What one call returns rests on nothing but its datagrams and their times
(and, with `Stamps.SHIFTED`, on the first one ever): the cut of the calls leaves no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from airpicture.formats.asterix import clock, sources
from airpicture.formats.asterix.decode import REASONS, Blocks, Records, Walked, extract, in_one, walk_by_source
from airpicture.formats.asterix.editions import choose_editions, source_name
from airpicture.formats.asterix.framing import known_categories
from airpicture.formats.asterix.reader import fields_of, leave, plots_of
from airpicture.formats.asterix.targets import READERS, Targets
from airpicture.kernels import asterix_blocks
from airpicture.tables import I64, U8, Plots, SensorKind, Sensors
from airpicture.units import DAY_NS, SECOND_NS

UNKNOWN_NAMED: Final = 64  # unknown sources counted by name; a forger can make 65,536 of them
SHIFT_AGAIN_NS: Final = 60 * SECOND_NS  # a replay that is this far from where it should be was begun anew
DATAGRAM_USUAL: Final = 2_048  # octets; blocks are made for datagrams, also where they travel in a stream


class Stamps(StrEnum):
    """What times the reports of an input get."""

    SENSOR = "sensor"  # the sensor's own, on the day nearest to reception
    ARRIVAL = "arrival"  # that of reception: for sensors without a clock worth the name
    SHIFTED = "shifted"  # the sensor's own, moved so that the first is now: for recordings replayed over a network


class AsterixDecoder:
    """Decodes what the described sensors send; a `formats.live.LiveDecoder`.

    `counts` keeps three accounts, each of which adds up by itself: of datagrams ("decoded datagram", "refused
    datagram ..."), of the blocks in them ("... block ...") and of the records in those ("... record ...").

    Parameters
    ----------
    sensors : found by SAC, SIC and kind. ADS-B and multilateration of a source that isn't described go to the one
        sensor of that kind without SAC/SIC, if there is one
    editions : as for `editions.choose_editions`
    stamps : see `Stamps`
    only : ids of the sensors that this input may bring; () all. Where two sources go by one SAC/SIC, each has an input
        with its own
    stream : blocks come end to end and cut anywhere (TCP); else each `feed` is a datagram

    Attributes
    ----------
    stream : as given
    heard_ns : (S,) ns UTC when a sensor's last record of any kind was received, -1 never; for its health
    """

    def __init__(
        self,
        sensors: Sensors,
        *,
        editions: Mapping[str, str] | None = None,
        stamps: Stamps = Stamps.SENSOR,
        stream: bool = False,
        only: Sequence[str] = (),
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.heard_ns: I64 = np.full(len(sensors), -1, np.int64)
        self._sensors = sensors
        self._choice = choose_editions(editions)
        self._stamps = stamps
        self._shift_ns: int | None = None
        self._known = known_categories()
        self._found = sources.Found(sensors, _rows(sensors, only), ())
        self._stray = {kind: _without_code(sensors, kind, only) for kind in (SensorKind.ADSB, SensorKind.MLAT)}
        self._unknown: set[str] = set()
        self.stream = stream
        self._rest = b""
        self._sure = False  # that the stream is where a block begins

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take a datagram, or a piece of the stream; see `formats.live.LiveDecoder.feed`."""
        return self.feed_many([data], np.array([received_ns], np.int64))

    def feed_many(self, data: Sequence[bytes], received_ns: I64) -> Plots:
        """Take datagrams (or pieces of the stream, in order) with their times of reception, each [ns UTC].

        Decoding a hundred small datagrams at once costs about what one costs.
        """
        if self.stream:
            data = [self._whole(piece) for piece in data]
        stops = np.cumsum([len(one) for one in data], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), stops])[: len(data)]
        return self.feed_spans(np.frombuffer(bytearray().join(data), np.uint8), starts, stops, received_ns)

    def feed_spans(self, data: U8, starts: I64, stops: I64, received_ns: I64) -> Plots:
        """Do as `feed_many` with datagrams, or whole blocks of the stream, that lie in one array.

        data : (N,) uint8, which may be written to; starts, stops : (n,) where each of them begins and ends
        """
        blocks = self._blocks(data, starts, stops, received_ns)
        kinds = blocks.category()
        parts = []
        for category in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == category)
            if category not in self._choice.of_category:
                self.counts[f"refused block CAT{category:03d} isn't decoded"] += len(rows)
                continue
            walked = walk_by_source(blocks, rows, category, self._choice)
            for part in walked:
                self._account(part)
            records = in_one([extract(blocks, part, fields_of(category)) for part in walked])
            if len(records):
                parts += self._reports(records, blocks)
        return Plots.concat(parts) if parts else Plots.empty(self._sensors)

    def _blocks(self, data: U8, starts: I64, stops: I64, received_ns: I64) -> Blocks:
        limit = int((stops - starts).sum()) // 3 + 1
        owner, offsets, lengths = (np.empty(limit, np.int64) for _ in range(3))
        ends = np.empty(len(starts), np.int64)
        n = asterix_blocks.chain_payloads(data, starts, stops, self._known, limit, owner, offsets, lengths, ends)
        empty = ends == starts
        if self.stream:
            empty &= stops > starts
        else:
            self.counts["decoded datagram"] += int((~empty).sum())
        if empty.any():
            self.counts["refused datagram no whole block in it"] += int(empty.sum())
        if (foreign := int(((stops > ends) & ~empty).sum())) and not self.stream:
            self.counts["noted datagram with bytes after its last block"] += foreign
        return Blocks(data, offsets[:n].copy(), lengths[:n].copy(), received_ns[owner[:n]])

    def _whole(self, piece: bytes) -> bytes:
        """Return the blocks that are whole with a piece of the stream; keep the rest.

        A header is but three octets, and where a connection begins or the stream is damaged any three may look like
        one. There, a block is believed when it decodes.
        """
        data = self._rest + piece
        at, skipped = 0, 0
        kept = []
        while at + 3 <= len(data):
            length = self._header(data, at)
            if not length or (not self._sure and length > DATAGRAM_USUAL):
                at, skipped, self._sure = at + 1, skipped + 1, False
                continue
            end = at + length
            if end > len(data):
                break
            if not self._sure and not self._decodes(data[at:end]):
                at, skipped = at + 1, skipped + 1
                continue
            self._sure = True
            kept.append(data[at:end])
            at = end
        self._rest = data[at:]  # shorter than a block can be
        if skipped:
            self.counts["refused octet that starts no block"] += skipped
        return b"".join(kept)

    def _decodes(self, block: bytes) -> bool:
        """Say whether a block is good in the edition of its source."""
        if block[0] not in self._choice.of_category:
            return False
        none = np.zeros(1, np.int64)
        blocks = Blocks(np.frombuffer(bytearray(block), np.uint8), none, np.full(1, len(block)), none)
        return not walk_by_source(blocks, none, block[0], self._choice)[0].reasons[0]

    def _header(self, data: bytes, at: int) -> int:
        """Return the length of the block that may begin at a place, 0 where none can."""
        length = int.from_bytes(data[at + 1 : at + 3], "big")
        return length if self._known[data[at]] and length >= 4 else 0

    def _account(self, walked: Walked) -> None:
        name = f"CAT{walked.edition.category:03d}"
        self.counts[f"decoded block {name}"] += int((walked.reasons == 0).sum())
        bad = walked.reasons[walked.reasons != 0]
        for reason, count in zip(*np.unique(bad, return_counts=True), strict=True):
            self.counts[f"refused block {name} {REASONS[int(reason)]}"] += int(count)

    def _reports(self, records: Records, blocks: Blocks) -> list[Plots]:
        category, name = records.category, f"CAT{records.category:03d}"
        origin = sources.source_of(records)
        received = blocks.t_ns[records.block]
        self._hear(category, origin, received)
        if category not in READERS:
            what = "refused record" if category == 62 else "decoded record"
            why = f"{name} system track, no plot" if category == 62 else f"{name} of service"
            self.counts[f"{what} {why}"] += len(records)
            return []
        left: Counter[str] = Counter()
        found = READERS[category](records, left)
        t_ns = self._times(records, received)
        leave(found, t_ns[found.rows] < 0, left, f"{name} time of day beyond 24 h (report)")
        self._leave_unknown(found, origin, left, name)
        plots = plots_of(found, category, t_ns, origin, self._found, left)
        self.counts.update({f"refused record {why.removesuffix(' (report)')}": n for why, n in left.items()})
        self.counts[f"decoded record {name}"] += len(plots)
        others = len(records) - len(plots) - sum(left.values())
        if others:  # an extract of a category that carries both, as the periodic messages of CAT010
            self.counts[f"decoded record {name} of service"] += others
        return [plots] if len(plots) else []

    def _leave_unknown(self, found: Targets, origin: I64, left: Counter[str], name: str) -> None:
        """Give undescribed sources of ADS-B and multilateration their sensor; count the others by SAC/SIC."""
        rows, kinds = found.rows, found.kind
        unknown = self._found.lookup(origin[rows], kinds) < 0
        if not unknown.any():
            return
        for source, kind in {*zip(origin[rows][unknown].tolist(), kinds[unknown].tolist(), strict=True)}:
            stray = self._stray.get(SensorKind(kind), -1)
            if stray >= 0 and len(self._found.rows) < 65_536:
                self._found.rows[source, kind] = stray
        still = self._found.lookup(origin[rows], kinds) < 0
        for source in np.unique(origin[rows][still]).tolist():
            told = source_name(source) or "without SAC/SIC"
            if told not in self._unknown and len(self._unknown) >= UNKNOWN_NAMED:
                told = "another one"
            self._unknown.add(told)
            mask = (self._found.lookup(origin[found.rows], found.kind) < 0) & (origin[found.rows] == source)
            leave(found, mask, left, f"{name} sensor {told} isn't described (report)")

    def _hear(self, category: int, origin: I64, received: I64) -> None:
        kind = sources.SERVICE_KINDS.get(category)
        for (source, of_kind), row in self._found.rows.items():
            if kind is None or of_kind == kind:
                mine = received[origin == source]
                if len(mine):
                    self.heard_ns[row] = max(int(self.heard_ns[row]), int(mine.max()))

    def _times(self, records: Records, received: I64) -> I64:
        """Return the full time of each record, -1 where its time of day is none."""
        if self._stamps == Stamps.ARRIVAL:
            return received.copy()
        tod = clock.times_of_day(records)
        impossible = tod >= clock.TOD_MAX_NS
        if records.category == 1:
            truncated = records.integers(clock.TRUNCATED_FIELD)
            nobody = np.full(len(tod), -1, np.int64)
            tod = clock.complete(tod, np.where(truncated >= 0, truncated * clock.TICK_NS, -1), nobody, nobody, received)
        lacking = tod < 0
        t_ns = tod + (received - tod + DAY_NS // 2) // DAY_NS * DAY_NS
        if self._stamps == Stamps.SHIFTED:
            t_ns = self._shifted(t_ns, received, ~lacking & ~impossible)
        if lacking.any():
            self.counts["noted record without time, stamped on arrival"] += int((lacking & ~impossible).sum())
        t_ns = np.where(lacking, received, t_ns)
        t_ns[impossible] = -1
        return t_ns

    def _shifted(self, t_ns: I64, received: I64, valid: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> I64:
        moved = t_ns.copy()
        rows = np.flatnonzero(valid)
        while len(rows):
            if self._shift_ns is None:
                self._shift_ns = int(received[rows[0]] - t_ns[rows[0]])
            away = np.abs(t_ns[rows] + self._shift_ns - received[rows]) > SHIFT_AGAIN_NS
            stop = int(np.argmax(away)) if away.any() else len(rows)
            moved[rows[:stop]] = t_ns[rows[:stop]] + self._shift_ns
            rows = rows[stop:]
            if len(rows):
                self._shift_ns = None
        return moved


def _rows(sensors: Sensors, only: Sequence[str]) -> dict[tuple[int, int], int]:
    """Return the row of each (SAC * 256 + SIC, kind): a described ADS-B or MLAT sensor stands for the other, too."""
    rows: dict[tuple[int, int], int] = {}
    reported = (SensorKind.ADSB, SensorKind.MLAT)
    coded = [row for row, name in enumerate(sensors.ids) if sensors.sac[row] >= 0 and (not only or name in only)]
    for row in coded:
        rows[int(sensors.sac[row]) * 256 + int(sensors.sic[row]), int(sensors.kind[row])] = row
    for row in coded:
        if sensors.kind[row] in reported:
            for kind in reported:
                rows.setdefault((int(sensors.sac[row]) * 256 + int(sensors.sic[row]), int(kind)), row)
    return rows


def _without_code(sensors: Sensors, kind: SensorKind, only: Sequence[str]) -> int:
    """Return the only sensor of a kind that has no SAC/SIC, -1 where there's none or several."""
    rows = np.flatnonzero((sensors.kind == kind) & (sensors.sac < 0))
    return int(rows[0]) if len(rows) == 1 and (not only or sensors.ids[int(rows[0])] in only) else -1
