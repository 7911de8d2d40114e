"""Notices sources that send another edition than their blocks are read in, and names the option that puts it right.

A wrong edition shows in refused blocks: its items end elsewhere. All editions are tried on a sample of the blocks of
each source, since on a network one station may send an edition of its own, and what refuses all of its blocks may be a
thousandth of the recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.decode import Blocks, Walked, sources_of_blocks, walk
from airpicture.formats.asterix.editions import Choice, source_name
from airpicture.formats.asterix.specification import load_category
from airpicture.tables import F64, I64

# A source is suspected where so many of its blocks, and more than this share, are refused. A wrong edition of CAT021
# costs 3 % (2.4 for 2.1) to all of the blocks (2.6 for 0.23); damage on the way costs far less.
SUSPECT_BLOCKS, SUSPECT_SHARE = 3, 0.01
BETTER = 0.5  # an edition fits better where it refuses less than this share of what the used one refuses
SAMPLE, SAMPLE_LEAST = 4000, 200  # blocks of a category; of each of its sources, where it sent as many
SOURCES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class _Trial:
    """All editions of a category tried on its blocks: who sent them, and what share each edition refuses."""

    names: list[str]  # editions, oldest first
    sources: list[int]  # (S,) SAC * 256 + SIC, -1 where the block doesn't say
    blocks: NDArray[np.intp]  # (S,) blocks sent
    used: I64  # (S,) row in names
    refused: F64  # (editions, S) share of the source's blocks

    def best(self, shares: F64) -> int:
        """Return the newest of the editions that fit best."""
        return len(shares) - 1 - int(np.argmin(shares[::-1]))


def notes_on_editions(blocks: Blocks, parts: Sequence[Walked], choice: Choice) -> list[str]:
    """Return the notes that name a better edition: for the category where it suits all its sources, else by source.

    `parts`: the blocks of one category, walked in the edition chosen for each.
    """
    bad = np.concatenate([part.reasons != 0 for part in parts])
    if bad.sum() < SUSPECT_BLOCKS:  # lest a good recording pay for the look at its sources
        return []
    category = parts[0].edition.category
    rows = np.concatenate([part.rows for part in parts])
    sources, place = np.unique(sources_of_blocks(blocks, rows), return_inverse=True)
    sent = np.bincount(place, minlength=len(sources))
    lost = np.bincount(place[bad], minlength=len(sources))
    suspected = (lost >= SUSPECT_BLOCKS) & (lost > SUSPECT_SHARE * sent)
    together = bad.sum() > SUSPECT_SHARE * len(bad)  # many sources of a few blocks each
    if not (together or suspected.any()):
        return []
    now = np.concatenate([np.full(len(part.rows), k) for k, part in enumerate(parts)])
    names = list(load_category(category))
    used = np.zeros(len(sources), np.int64)
    used[place] = np.array([names.index(part.edition.name) for part in parts])[now]
    refused = _try_editions(blocks, rows, category, place, sent)
    trial = _Trial(names, sources.tolist(), sent, used, refused)
    before = refused[used, np.arange(len(sources))]
    misfit = suspected & (refused.min(axis=0) < BETTER * before)
    own = np.array([source in choice.of_source.get(category, {}) for source in trial.sources])
    told: list[str] = []
    if not own.all() and (together or (misfit & ~own).any()):
        told, settled = _note_on_category(trial, ~own, category)
        misfit &= ~settled
    return told + _notes_on_sources(trial, np.flatnonzero(misfit), category, choice.of_category[category])


def _try_editions(blocks: Blocks, rows: I64, category: int, place: NDArray[np.intp], sent: NDArray[np.intp]) -> F64:
    """Return what share of each source's blocks each edition refuses, by a sample evenly spread over the recording.

    Parameters
    ----------
    rows : (K,) blocks of the category
    place : (K,) source of each, as a column of the result
    sent : (S,) blocks of each source
    """
    quota = np.minimum(sent, np.maximum(SAMPLE_LEAST, SAMPLE * sent // len(rows)))
    order = np.lexsort((rows, place))
    whose = place[order]
    rank = np.arange(len(rows)) - (np.cumsum(sent) - sent)[whose]
    taken = (rank * quota[whose]) // sent[whose] != ((rank - 1) * quota[whose]) // sent[whose]  # quota of each source
    sample = order[taken]
    return np.stack(
        [
            np.bincount(place[sample], weights=walk(blocks, rows[sample], edition).reasons != 0, minlength=len(sent))
            / quota
            for edition in load_category(category).values()
        ]
    )


def _note_on_category(trial: _Trial, rest: NDArray[np.bool_], category: int) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the note for the category where one edition fits every source better, and the sources that it settles.

    `rest`: the sources that are read in the category's edition. One that shows no difference, as none of its blocks is
    good in either, speaks neither for nor against; one that fits already speaks against.
    """
    weight = np.where(rest, trial.blocks, 0) / trial.blocks[rest].sum()
    pooled = trial.refused @ weight
    best, now = trial.best(pooled), int(trial.used[rest][0])
    after, before = trial.refused[best], trial.refused[now]
    agree = (after < BETTER * before) | ((after == 1.0) & (before == 1.0))
    if best == now or not (agree | ~rest).all() or not pooled[best] < BETTER * pooled[now]:
        return [], np.zeros(len(rest), np.bool_)
    return [
        f"{_percent(pooled[now])} of CAT{category:03d} blocks refused with edition {trial.names[now]}, "
        f"{_percent(pooled[best])} with {trial.names[best]}: use --edition {category}={trial.names[best]}"
    ], rest


def _notes_on_sources(trial: _Trial, misfits: NDArray[np.intp], category: int, usual: str) -> list[str]:
    """Return a note for each source, those that sent most first."""
    told: list[str] = []
    misfits = misfits[np.argsort(-trial.blocks[misfits], kind="stable")]
    for k in misfits[:SOURCES_SHOWN].tolist():
        source, used, best = trial.sources[k], int(trial.used[k]), trial.best(trial.refused[:, k])
        shares = (
            f"refused with edition {trial.names[used]}, {_percent(trial.refused[best, k])} with {trial.names[best]}"
        )
        before, name = _percent(trial.refused[used, k]), trial.names[best]
        if source >= 0:
            told.append(
                f"{before} of CAT{category:03d} blocks of source {source_name(source)} {shares}: "
                f"use --edition {category}@{source_name(source)}={name}"
            )
        else:
            told.append(
                f"{before} of CAT{category:03d} blocks that name no source (item 010) {shares}: use --edition "
                f"{category}={name}, with --edition {category}@SAC/SIC={usual} for the sources that send {usual}"
            )
    if (more := len(misfits) - SOURCES_SHOWN) > 0:
        told.append(f"{more} more sources of CAT{category:03d} fit another edition better")
    return told


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.01 else f"{100 * share:.2g} %"
