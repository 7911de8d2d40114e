"""``airpicture bench``: how fast and how well the tracker does on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from airpicture.bench import Load, Machine

NOTES = {
    "rotating": "each antenna turns at its own phase and each plot has its own time",
    "snapshot": "all plots of a turn have one time, at its end",
    "staggered": "all plots of a radar's turn have one time, one radar after another",
}


@click.command("bench")
@click.option(
    "--targets",
    "sizes",
    type=click.IntRange(1, 20_000_000),
    multiple=True,
    metavar="N",
    help="Targets in the sky, up to 20,000,000; may be repeated. Up to 1,000 one radar sees them to 600 km, beyond it "
    "one radar for every 500 stands round the Earth.  [default: 300, 10,000 and 100,000]",
)
@click.option(
    "--per-radar",
    type=click.IntRange(10, 20_000),
    default=500,
    show_default=True,
    metavar="N",
    help="Targets in each radar's disc of 240 km, where they stand round the Earth: 5,000 fly as thick as ten million.",
)
@click.option(
    "--warm",
    type=click.IntRange(3, 1000),
    default=6,
    show_default=True,
    metavar="N",
    help="Turns before the clock counts.",
)
@click.option("--peers", is_flag=True, help="Run Stone Soup on the same plots, too (needs it installed).")
@click.option("--storm", is_flag=True, help="Run what may overload a tracker: hub, clutter storm, garbage, line, full.")
@click.option("--start", is_flag=True, help="Measure the first use after an installation, and a later one.")
@click.option(
    "--timing",
    type=click.Choice(list(NOTES)),
    default="rotating",
    show_default=True,
    help="Plots each at its own time, all of a turn at its end, or all of a radar's turn at once.",
)
@click.option(
    "--frame",
    type=click.FloatRange(0.1, 5.0),
    default=0.25,
    show_default=True,
    metavar="S",
    help="Seconds that plots are shared out together (Config.frame_s): longer ones cost less where antennas turn, and "
    "the picture follows as much later.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    metavar="T",
    help="Compare one thread with this many.  [default: 2, or the cores there are]",
)
@click.option(
    "--turns",
    type=click.IntRange(1, 1000),
    default=6,
    show_default=True,
    metavar="N",
    help="Turns of the antennas on the clock.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, metavar="N", help="Of the sky.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    sizes: Sequence[int],
    per_radar: int,
    warm: int,
    peers: bool,
    storm: bool,
    start: bool,
    timing: Any,
    frame: float,
    threads: int | None,
    turns: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure speed, memory and accuracy on this machine.

    Plots come from a sky made on the spot: radars that turn in 10 s (70 m, 0.08 degrees, no height), Pd 0.9, half a
    false plot for every target, a fifth of the targets turning and a fifth in close pairs. Tracks begin by themselves;
    six turns pass before the clock counts (--warm). A step's time is from plots in to the whole picture out.

    Without options: 300, 10,000 and 100,000 targets and the European reference's public capacity (30 radars, 4,000
    targets, 2,000 reports a second), in less than two minutes on two cores. A million targets take 8 GB and four
    minutes, since trackers of one and two threads are run beside each other. More than three million are given frame
    by frame, and the picture's columns aren't asked for.
    """
    if sum((peers, storm, start)) > 1:
        raise click.UsageError("Give one of --peers, --storm and --start at a time.")
    if peers:
        from airpicture.bench.peers import check_peers

        check_peers(sizes)
    from airpicture.bench import describe
    from airpicture.bench.machine import cores
    from airpicture.bench.suite import DEFAULT_TARGETS
    from airpicture.commands.warm import warm_up

    most = threads or min(2, cores())
    warm_up(quiet)
    show = Show(as_json, quiet)
    show.machine(describe(max(most, 2)))
    if peers:
        _peers(show, sizes, seed)
    elif storm:
        _storms(show, sizes, seed)
    elif start:
        from airpicture.bench.start import start_seconds

        show.start(*start_seconds())
    else:
        sky: dict[str, Any] = {"seed": seed, "per_radar": per_radar}
        _speed(show, sizes or DEFAULT_TARGETS, timing, most, turns, warm, sky, frame, whole=not sizes)
    show.end()


def _speed(
    show: Show,
    sizes: Sequence[int],
    timing: Any,
    most: int,
    turns: int,
    warm: int,
    sky: dict[str, Any],
    frame_s: float,
    *,
    whole: bool,
) -> None:
    from airpicture.bench import suite

    show.note(f"One step a turn; {NOTES[timing]}.")
    sampled = []
    for targets in sizes:
        if targets > suite.WHOLE_MOST:
            continue
        threads = suite.threads_for(targets, most)
        load = suite.scan_load(targets, threads=threads, timing=timing, turns=turns, warm=warm, frame_s=frame_s, **sky)
        sampled.append(show.run(load, f"{targets:,} targets, turn by turn"))
    if sampled:
        show.scans(sampled)
    small = [targets for targets in sizes if targets <= suite.IDENTITY_MOST]
    identity = [
        show.run(suite.identity_load(n, timing=timing, **sky), f"{n:,} targets, 1, 2 and 4 threads") for n in small
    ]
    if sampled:
        show.identity(sampled, identity)
    cut: Any = "staggered" if timing == "staggered" else "rotating"  # all of a turn at once can't be cut
    sectors = [
        show.run(
            suite.sector_load(
                n,
                threads=suite.threads_for(n, most)[-1:] if n > 2000 else (1,),
                warm=warm - 1,
                timing=cut,
                frame_s=frame_s,
                **sky,
            ),
            f"{n:,} targets, {'radar by radar' if cut == 'staggered' else 'sector by sector'}",
        )
        for n in sizes
    ]
    if whole:
        sectors += [
            show.run(suite.region_load(steps, seed=sky["seed"]), f"4,000 targets under 30 radars, {steps} steps a turn")
            for steps in suite.REGION_STEPS
        ]
    show.sectors(sectors)
    huge = [one for one in sectors if one["targets"] > suite.WHOLE_MOST]
    if huge:
        show.huge(huge)


def _peers(show: Show, sizes: Sequence[int], seed: int) -> None:
    from airpicture.bench.peers import compare

    for targets in sizes or (300,):
        with show.progress(f"{targets:,} targets, both trackers") as report:
            rows = compare(targets, seed=seed, report=report)
        show.peers(targets, rows)


def _storms(show: Show, sizes: Sequence[int], seed: int) -> None:
    from airpicture.bench.storms import STORMS, run_storm

    for targets in sizes or (20_000,):
        rows = []
        for name in STORMS:
            with show.progress(f"{name}, {targets:,} targets") as report:
                rows.append(run_storm(name, targets, seed=seed, report=report))
        show.storms(targets, rows)


class Show:
    """Prints tables as they come, or gathers figures for one JSON at the end."""

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.found: dict[str, Any] = {}

    def progress(self, title: str) -> Any:
        """Return the context that shows how far a run is."""
        from airpicture.commands import console

        return console.progress(title, "plots", self.quiet)

    def run(self, load: Load, title: str) -> dict[str, Any]:
        """Run one load under a bar."""
        from airpicture.bench import run_load
        from airpicture.bench.suite import figures

        with self.progress(title) as report:
            return figures(run_load(load, report))

    def note(self, text: str) -> None:
        """Say something, unless the output is for a program."""
        if not self.as_json:
            click.echo(text)

    def end(self) -> None:
        """Print the JSON, if that's wanted."""
        if self.as_json:
            click.echo(json.dumps(self.found, indent=1))

    def _table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if not self.as_json:
            from airpicture.commands import console

            console.output().print(console.grid(title, heads, rows))

    def machine(self, made: Machine) -> None:
        """Show the machine."""
        from dataclasses import asdict

        self.found["machine"] = asdict(made)
        if not self.as_json:
            from airpicture.commands import console

            triad = ", ".join(f"{value:.1f} GB/s with {k}" for k, value in enumerate(made.triad_gb_s, 1))
            rows = [
                ("processor", f"{made.cpu}, {made.cores} cores"),
                ("memory", f"{made.memory_gib:.0f} GiB; triad {triad} thread{'s' * (len(made.triad_gb_s) > 1)}"),
                ("arithmetic", f"{made.product_gflop_s:.0f} GFLOP/s on one thread in a matrix product"),
                ("software", f"Python {made.python}, numpy {made.numpy}, numba {made.numba}"),
            ]
            console.output().print(console.table("This machine", rows))

    def scans(self, sampled: Sequence[dict[str, Any]]) -> None:
        """Show whole turns: speed and memory, then accuracy."""
        self.found["turns"] = list(sampled)
        heads = ["targets", "threads", "plots", "median", "p99", "picture", "CPU", "CPU/target", "plots/s", "real time"]
        rows = [
            [
                f"{one['targets']:,}",
                str(run["threads"]),
                f"{one['plots_a_turn']:,.0f}",
                duration(run["wall_s_step_median"]),
                duration(run["wall_s_step_p99"]),
                duration(run["picture_s_turn"]),
                duration(run["cpu_s_turn"]),
                f"{run['cpu_ns_per_target']:,.0f} ns",
                f"{run['plots_per_s']:,.0f}",
                f"{run['times_real_time']:,.0f} x",
            ]
            for one in sampled
            for run in one["by_threads"]
        ]
        self._table("Speed: a turn of 10 s, from plots to picture", heads, rows)
        self._memory_and_accuracy(sampled)

    def huge(self, sampled: Sequence[dict[str, Any]]) -> None:
        """Show whole turns that were given frame by frame, without all columns of the picture."""
        heads = ["targets", "threads", "plots", "a turn", "CPU", "CPU/target", "real time"]
        rows = [
            [
                f"{one['targets']:,}",
                str(run["threads"]),
                f"{one['plots_a_turn']:,.0f}",
                duration(run["wall_s_turn"]),
                duration(run["cpu_s_turn"]),
                f"{run['cpu_ns_per_target']:,.0f} ns",
                f"{run['times_real_time']:.2f} x",
            ]
            for one in sampled
            for run in one["by_threads"]
        ]
        self._table("Speed: a turn of 10 s, frame by frame, without the picture's columns", heads, rows)
        self._memory_and_accuracy(sampled)

    def _memory_and_accuracy(self, sampled: Sequence[dict[str, Any]]) -> None:
        heads = ["targets", "tracks", "room for", "bytes each", "made in", "process at its peak"]
        rows = [
            [
                f"{one['targets']:,}",
                f"{one['tracks']:,.0f}",
                f"{one['capacity']:,}",
                f"{one['bytes_per_track']:,.0f}",
                duration(one["start_s"]),
                f"{one['peak_rss_mib']:,.0f} MiB",
            ]
            for one in sampled
        ]
        self._table("Memory: the tracker's arrays, and the whole process", heads, rows)
        heads = ["targets", "held", "settled", "kept", "swaps", "false", "error", "plots'", "GOSPA/√n"]
        rows = [
            [
                f"{one['targets']:,}",
                percent(one["score"]["complete"]),
                percent(one["score"]["complete_settled"]),
                percent(one["kept"]),
                f"{one['swaps_a_turn'] / one['targets'] * 1e3:.1f} ‰",
                percent(one["score"]["false"] / max(one["score"]["tracks"], 1)),
                f"{one['score']['median_m']:.0f} m",
                f"{one['plot_error_median_m']:.0f} m",
                f"{one['score']['gospa_m'] / max(one['score']['truths'], 1) ** 0.5:.0f} m",
            ]
            for one in sampled
        ]
        self._table("Accuracy in the same runs", heads, rows)
        large = [one for one in sampled if one["targets"] >= 10_000]
        if len(large) > 1:
            least, most = (min(large, key=_size), max(large, key=_size))
            ratio = cheapest(most) / cheapest(least)
            self.note(
                f"A target among {most['targets']:,} costs {ratio:.2f} times the CPU of one among {least['targets']:,}."
            )
        self.note(
            "held: share of the targets that a confirmed track holds within 2 km; settled: of those in coverage for\n"
            "five turns; kept: held by one track from first to last turn; false: of the confirmed tracks; error:\n"
            "median on the ground, beside that of the plots placed with heights unknown.\n"
        )

    def identity(self, sampled: Sequence[dict[str, Any]], more: Sequence[dict[str, Any]]) -> None:
        """Show what threads gain, and whether they change anything."""
        self.found["identity"] = list(more)
        rows = []
        for one in sampled:
            counts = [run["threads"] for run in one["by_threads"]]
            if len(counts) > 1:
                rows.append([f"{one['targets']:,}", said(counts), f"{one['speedup']:.2f} x", yes(one["identical"])])
        rows += [
            [f"{one['targets']:,}", said([run["threads"] for run in one["by_threads"]]), "", yes(one["identical"])]
            for one in more
        ]
        self._table("Threads", ["targets", "threads", "faster", "same picture to the bit"], rows)

    def sectors(self, sampled: Sequence[dict[str, Any]]) -> None:
        """Show latency."""
        self.found["sectors"] = list(sampled)
        heads = ["load", "threads", "plots", "p50", "p99", "most", "CPU", "bare", "of its time"]
        rows = [
            [
                one["name"] if "radars" in one["name"] else f"{one['name']}, {one['steps_a_turn']} steps a turn",
                str(run["threads"]),
                f"{one['plots_a_turn'] / one['steps_a_turn']:,.0f}",
                duration(run["wall_s_step_median"]),
                duration(run["wall_s_step_p99"]),
                duration(run["wall_s_step_max"]),
                duration(run["cpu_s_step_max"]),
                duration(run["step_s_p99"]),
                percent(run["wall_s_step_p99"] * one["steps_a_turn"] / 10.0),
            ]
            for one in sampled
            for run in one["by_threads"]
        ]
        self._table("From plots to picture, step by step", heads, rows)
        self.note(
            "CPU: of all threads, in the step with the most of it; where steps take longer than that tells,\n"
            "something else had the processor. bare: p99 until the tracks are up to date, the columns of the\n"
            "picture not yet asked for; of its time: how much of a step's share of the turn p99 takes.\n"
        )

    def peers(self, targets: int, rows: Sequence[dict[str, Any]]) -> None:
        """Show this tracker beside its peer."""
        self.found.setdefault("peers", []).append({"targets": targets, "rows": list(rows)})
        heads = ["tracker", "CPU a turn", "picture", "faster", "scored", "GOSPA", "missed", "false", "switches", "RMS"]
        shown = [
            [
                row["name"],
                duration(row["cpu_s_turn"]),
                duration(row["cpu_s_picture"]) if "cpu_s_picture" in row else "",
                f"{row['times_faster']:,.0f} x" if row.get("times_faster") else "",
                f"{row['turns_scored']} turns",
                f"{row['gospa_m']:,.0f} m",
                f"{row['missed']:.1f}",
                f"{row['false']:.1f}",
                f"{row['switches']:.2f}",
                f"{row['rms_m']:.0f} m",
            ]
            for row in rows
        ]
        self._table(f"{targets:,} targets to 600 km, same plots; means of a turn", heads, shown)
        self.note(
            "CPU a turn: until the tracks are up to date; picture: for all columns of the picture besides, which the\n"
            "others don't make. airpicture puts plots on the Earth in its turn, the others' are converted beforehand.\n"
        )

    def start(self, first: float, later: float) -> None:
        """Show how long it takes until the first track."""
        self.found["start"] = {"first_s": first, "later_s": later}
        rows = [("first use, kernels compiled", duration(first)), ("later uses", duration(later))]
        if not self.as_json:
            from airpicture.commands import console

            console.output().print(console.table("From start to tracks", rows))

    def storms(self, targets: int, rows: Sequence[dict[str, Any]]) -> None:
        """Show what overload does."""
        self.found.setdefault("storms", []).append({"targets": targets, "rows": list(rows)})
        heads = ["storm", "plots", "step", "a plot", "memory", "invented", "astray", "counted"]
        shown = [
            [
                row["name"],
                f"{row['plots']:,}",
                f"{duration(row['wall_s'])} ({duration(row['usual_wall_s'])})",
                f"{row['per_plot_ratio']:.1f} x",
                f"{row['memory_growth_mib']:+,.0f} MiB",
                f"{row['invented']:,} ({row['usual_invented']:,})",
                f"{row['astray']:,} ({row['usual_astray']:,})",
                ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in row["counted"].items()) or "-",
            ]
            for row in rows
        ]
        self._table(f"Storms over {targets:,} targets, in brackets the same sky without", heads, shown)


def duration(seconds: float) -> str:
    """Return a time in three digits."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def percent(share: float) -> str:
    """Return a share for reading."""
    return "-" if share != share else f"{100 * share:.1f} %"


def _size(one: dict[str, Any]) -> int:
    return int(one["targets"])


def cheapest(one: dict[str, Any]) -> float:
    """Return the CPU time of a target on one thread, or on as few as were run [ns]."""
    return float(one["by_threads"][0]["cpu_ns_per_target"])


def yes(value: bool) -> str:
    """Return a word."""
    return "yes" if value else "NO"


def said(values: Sequence[int]) -> str:
    """Return numbers in a row."""
    return ", ".join(map(str, values))
