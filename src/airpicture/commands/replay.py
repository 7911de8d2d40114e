"""``airpicture replay``: a recording back on the wire."""

from __future__ import annotations

import click


@click.command("replay")
@click.argument("recording", metavar="RECORDING")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="WHERE",
    help="udp://239.1.1.1:8600 (a group or an address), tcp://HOST:PORT, or listen://HOST:PORT for whoever connects.",
)
@click.option(
    "--speed", type=click.FloatRange(0.01, 1000), default=1.0, show_default=True, metavar="N", help="Times real time."
)
@click.option("--loop", is_flag=True, help="Begin again at the end, until Ctrl-C.")
@click.option("--interface", default="", metavar="ADDRESS", help="Address of the interface to send a group's data on.")
@click.option("--ttl", type=click.IntRange(0, 255), default=1, show_default=True, metavar="N", help="Of multicast.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(recording: str, target: str, speed: float, loop: bool, interface: str, ttl: int, quiet: bool) -> None:
    """Put a recording back on the wire: its own bytes, as they came.

    RECORDING is ASTERIX (a capture's datagrams keep their cut and times; of plain blocks the times of day tell), Beast
    or AVR with times, a table of Mode S frames with the host's time (sent as Beast), SBS-1, or a journal of 'airpicture
    serve'. Where the other end takes times of day for today's, read it there with stamps = "shifted".
    """
    import asyncio

    from airpicture.commands import console
    from airpicture.service.address import parse_target
    from airpicture.service.rewire import make_target, play, wire_messages
    from airpicture.words import counted

    where = parse_target(target)
    told: list[str] = []
    messages = wire_messages(recording, told)
    for text in told:
        console.note(f"Note: {text}", quiet)
    span_s = (messages[-1].t_ns - messages[0].t_ns) / 1e9
    console.note(
        f"{counted(len(messages), 'message')} of {console.seconds(span_s)}, in {console.seconds(span_s / speed)}", quiet
    )
    sender = make_target(where, interface=interface, ttl=ttl)

    def ready(port: int) -> None:
        if port:
            console.note(f"Waiting for somebody to connect to port {port}", quiet)

    async def run(report: console.Report) -> None:
        await play(messages, sender, speed=speed, loop=loop, progress=report, ready=ready)

    with console.progress("Playing", "messages", quiet or loop) as report:
        asyncio.run(run(report))
    counts = sender.counts
    console.note(f"Sent {counts['sent']:,}, dropped {counts['dropped']:,}", quiet)
