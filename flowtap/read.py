# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap read`: the options, and what they mean for the run."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import TYPE_CHECKING

import click

from flowtap.arguments import ArgumentError, split_arguments
from flowtap.database import load_database
from flowtap.options import Number, matching, printing, threshold_option
from flowtap.output import Output, OutputError
from flowtap.progress import Interrupt, Progress
from flowtap.terminal import fail

if TYPE_CHECKING:
    from flowtap.reading import Sink
    from sigdb import Program


class Exit(IntEnum):
    """The exit codes of `flowtap read`."""

    FINE = 0
    DAMAGED = 1  # some input could not be read to its end
    USAGE = 2  # wrong arguments, filter expression or signatures: nothing was read
    OUTPUT = 3  # the output could not be written
    INTERRUPTED = 130  # Ctrl-C; what was found until then was printed
    BROKEN_PIPE = 141  # whoever read the output has gone


SECONDS = Number(0.001, 1e6)

EPILOG = """\b
Exit codes:
  0    fine
  1    some input could not be read to its end (what came before was used)
  2    wrong arguments, filter expression or signatures
  3    the output could not be written
  130  interrupted (what was found until then was printed)
  141  whoever read the output has gone

\b
Examples:
  flowtap read a.pcap
  flowtap read -U a.pcap.gz tcp port 22
  flowtap read --json --flows -o events.json *.pcapng
  tcpdump -w - | flowtap read -
"""


@click.command(epilog=EPILOG, no_args_is_help=True)
@click.argument("arguments", nargs=-1, required=True, metavar="FILE... [FILTER]")
@matching
@threshold_option
@click.option("-l", "one_line", is_flag=True, help="One line per flow.")
@click.option("-r", "resolve", is_flag=True, help="Print host names (asks DNS; waiting is bounded).")
@printing
@click.option("--decap", is_flag=True, help="Look into GRE, IPIP, 6in4, VXLAN and Geneve tunnels.")
@click.option("--filter", "expression", metavar="EXPR", help="The filter expression; all arguments are files.")
@click.option("--join", is_flag=True, help="The files are one capture that was rotated: flows go on across them.")
@click.option(
    "--max-flows", type=click.IntRange(1, 1 << 26), metavar="N", help="Flows kept at once. [default: 1000000]"
)
@click.option(
    "--idle-tcp", type=SECONDS, metavar="S", help="A TCP connection silent for S seconds ends. [default: 1800]"
)
@click.option("--idle-udp", type=SECONDS, metavar="S", help="A UDP flow silent for S seconds ends. [default: 60]")
@click.option("--idle-icmp", type=SECONDS, metavar="S", help="An ICMP flow silent for S seconds ends. [default: 30]")
@click.option("--progress/--no-progress", default=True, help="The progress bar on a terminal. [default: on]")
@click.pass_context
def read(
    ctx: click.Context,
    arguments: tuple[str, ...],
    signatures: tuple[str, ...],
    unidentified: bool,
    only_unidentified: bool,
    exact: bool,
    threshold: int,
    one_line: bool,
    timestamps: bool,
    resolve: bool,
    quiet: bool,
    output: str | None,
    as_json: bool,
    flows: bool,
    expression: str | None,
    join: bool,
    decap: bool,
    max_flows: int | None,
    idle_tcp: float | None,
    idle_udp: float | None,
    idle_icmp: float | None,
    progress: bool,
) -> None:
    """Read capture files and print what their flows are doing.

    FILE is a pcap or pcapng file, also compressed with gzip, xz or zstd; - is standard input. FILTER is an expression
    as tcpdump takes it; it needs no quotes unless the shell wants them.

    Only flows that a signature matches are printed. With -U or -K the output is a signature database: shapes of
    unidentified flows are signature lines, everything else is a comment.
    """
    if flows and not as_json:
        raise click.UsageError("--flows needs --json; as text, -U prints the other flows", ctx)
    try:
        files, expression = _inputs(arguments, expression)
        program = load_database(signatures, pause_ms=threshold, exact=exact)
        _keep_inputs(output, [*files, *signatures])
    except ArgumentError as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None

    from engine import Limits
    from flowtap.reading import Run

    limits = Limits()
    limits = Limits(
        flows=max_flows or limits.flows,
        idle_tcp=idle_tcp or limits.idle_tcp,
        idle_udp=idle_udp or limits.idle_udp,
        idle_icmp=idle_icmp or limits.idle_icmp,
    )
    sink = _sink(
        program,
        as_json=as_json,
        identified=not only_unidentified,
        unidentified=unidentified or only_unidentified,
        flows=flows,
        one_line=one_line,
        timestamps=timestamps,
        resolve=resolve,
    )
    bar = Progress(progress and not quiet)
    try:
        with Interrupt() as interrupt, Output(output, bar.clear) as out:
            run = Run(
                program,
                limits,
                sink,
                out,
                bar,
                interrupt,
                report_all=flows or unidentified or only_unidentified,
                expression=expression,
                decap=decap,
            )
            run.files(files, join=join)
            stats = run.finish()
            out.write(sink.end(stats))
    except OutputError as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    except BrokenPipeError:
        raise SystemExit(Exit.BROKEN_PIPE) from None
    if not (quiet or as_json):
        from flowtap.text import summary

        click.echo(f"flowtap: {summary(stats['stats'])}", err=True)
    if interrupt.seen:
        raise SystemExit(Exit.INTERRUPTED)
    raise SystemExit(Exit.DAMAGED if stats["stats"]["errors"] else Exit.FINE)


def _inputs(arguments: tuple[str, ...], expression: str | None) -> tuple[list[str], str | None]:
    """Return the files and the filter expression. Raises ArgumentError."""
    if expression is None:
        files, expression = split_arguments(arguments, _wrong_with)
    else:
        files = list(arguments)
        if (wrong := _wrong_with(expression)) is not None:
            raise ArgumentError(f"filter expression {expression!r}: {wrong}")
    if files.count("-") > 1:
        raise ArgumentError("-: standard input can be read only once")
    return files, expression


def _wrong_with(expression: str) -> str | None:
    """Return what is wrong with a filter expression, None when nothing is."""
    from capture import FilterError, check_filter

    try:
        check_filter(expression)
    except FilterError as error:
        return error.reason
    return None


def _keep_inputs(output: str | None, inputs: list[str]) -> None:
    """Refuse an output file that is one of the inputs: opening it would empty it. Raises ArgumentError."""
    if output is None or not os.path.exists(output):
        return
    for path in inputs:
        if path != "-" and os.path.exists(path) and os.path.samefile(path, output):
            raise ArgumentError(f"{output}: is an input, it cannot be the output as well")


def _sink(
    program: Program,
    *,
    as_json: bool,
    identified: bool,
    unidentified: bool,
    flows: bool,
    one_line: bool,
    timestamps: bool,
    resolve: bool,
) -> Sink:
    """Return what prints the flows."""
    if as_json:
        from flowtap.eve import Eve

        return Eve(
            program.signatures, identified=identified, unidentified=unidentified, flows=flows, rules=program.rules
        )
    from flowtap.text import Text

    text = Text(
        program.signatures,
        identified=identified,
        unidentified=unidentified,
        one_line=one_line,
        timestamps=timestamps,
        rules=program.rules,
    )
    if resolve:
        from flowtap.names import Names

        text.names = Names()
    return text
