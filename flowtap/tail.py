# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap tail`: follows the feed and prints."""

from __future__ import annotations

import signal
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

from flowtap.following import SEVERITIES, Filter, Follower, Tail
from flowtap.options import Number, common, settings_of
from flowtap.output import Output, OutputError
from flowtap.terminal import fail

if TYPE_CHECKING:
    from flowtap.settings import Settings


class Exit(IntEnum):
    """The exit codes of `flowtap tail`."""

    FINE = 0  # Ctrl-C, or as many events as asked for
    FEED = 1  # the feed's endpoint cannot be used
    USAGE = 2
    OUTPUT = 3
    TIMEOUT = 4  # fewer events than asked for
    BROKEN_PIPE = 141


EPILOG = """\b
Exit codes:
  0    ended by Ctrl-C or SIGTERM, or as many events were printed as -n says
  1    the endpoint of the feed cannot be used
  2    wrong arguments or settings
  3    the output could not be written
  4    --timeout passed before as many events were printed as -n says
  141  whoever read the output has gone

\b
Examples:
  flowtap tail
  flowtap tail --id 'ssh.auth.*' --severity high -l -t
  flowtap tail --json -n 10 | jq .alert.signature
"""


@click.command(epilog=EPILOG)
@click.option(
    "--id", "patterns", multiple=True, metavar="PATTERN", help="Only alerts of these ids (ssh.*). May repeat."
)
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default="low",
    show_default=True,
    help="Only alerts of this severity and above.",
)
@click.option("-U", "unidentified", is_flag=True, help="Also flows without a match (settings: events.flows).")
@click.option("-l", "one_line", is_flag=True, help="One line per alert.")
@click.option("-t", "timestamps", is_flag=True, help="Put the time of the flow's first packet (UTC) before each alert.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the events as they are, one a line: all kinds, without --id."
)
@click.option("-n", "limit", type=click.IntRange(1), metavar="N", help="End after N printed events.")
@click.option("--timeout", type=Number(0.001, 1e9), metavar="S", help="End after S seconds.")
@click.option("--feed", metavar="ENDPOINT", help="Where the feed is. [default: as the settings say]")
@common
def tail(
    patterns: tuple[str, ...],
    severity: str,
    unidentified: bool,
    one_line: bool,
    timestamps: bool,
    as_json: bool,
    limit: int | None,
    timeout: float | None,
    feed: str | None,
    config: str | None,
    runtime: str | None,
) -> None:
    """Follow the feed and print matches as they are found, in the form of `flowtap read`.

    A signature is reported when it first matches in a flow, and again at the flow's end when it matched more often.
    Events that were missed, because this command or the collector was too slow or away, are told on standard error.
    """
    settings = settings_of(config, runtime)
    everything = as_json and not patterns and severity == SEVERITIES[-1]
    wanted = Filter(patterns, severity, flows=unidentified, everything=everything)
    printed = _printer(as_json, one_line, timestamps, unidentified)
    try:
        with Output(None) as output:
            code = _follow(settings, feed, wanted, printed, output, limit, timeout)
    except OutputError as error:
        code = fail(str(error), Exit.OUTPUT)
    except BrokenPipeError:
        code = Exit.BROKEN_PIPE
    raise SystemExit(code)


def _follow(
    settings: Settings,
    endpoint: str | None,
    wanted: Filter,
    printed: Callable[[dict[str, Any]], bytes],
    output: Output,
    limit: int | None,
    timeout: float | None,
) -> Exit:
    """Follow the feed to its end. Raises OutputError, BrokenPipeError."""
    import zmq

    from flowtap.runtime import Runtime, RuntimeDirectoryError

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        endpoint = endpoint or settings.feed.bind or Runtime(settings.runtime.dir).feed
        follower = Follower(context, endpoint, settings.feed.topic, settings.feed.format == "msgpack")
    except (RuntimeDirectoryError, zmq.ZMQError) as error:
        context.term()
        return fail(f"{endpoint or settings.runtime.dir}: {error}", Exit.FEED)
    work = Tail(follower, wanted, printed, output)

    def end(number: int, frame: object) -> None:
        work.stop = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the second one ends it at once, whatever it waits for
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    try:
        in_time = work.run(limit, timeout)
    finally:
        follower.close()
        context.term()
    return Exit.FINE if in_time or limit is None else Exit.TIMEOUT


def _printer(as_json: bool, one_line: bool, timestamps: bool, unidentified: bool) -> Callable[[dict[str, Any]], bytes]:
    """Return what makes the text of an event; it raises ValueError for what is no event of ours."""
    if as_json:
        import orjson

        return lambda event: orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    from flowtap.eventtext import EventText

    text = EventText(one_line=one_line, timestamps=timestamps, unidentified=unidentified)
    return lambda event: text.event(event).encode()
