# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap survey`: contacts the hosts of a list once each and tells what systems answer."""

from __future__ import annotations

import asyncio
import csv
import sys
from enum import IntEnum
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from flowtap.options import Number, config_option, fingerprints_option, settings_of
from flowtap.output import Output, OutputError
from flowtap.terminal import fail, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowtap.survey_journal import Journal
    from flowtap.survey_list import Target
    from flowtap.survey_run import Survey


class Exit(IntEnum):
    """The exit codes of `flowtap survey`."""

    FINE = 0
    REFUSED = 1  # not agreed to, or it cannot be done here
    USAGE = 2
    OUTPUT = 3
    INTERRUPTED = 130  # --resume goes on


EPILOG = """\b
Exit codes:
  0    all hosts were contacted
  1    it was not agreed to, or packets cannot be seen here (cap_net_raw is needed)
  2    wrong arguments, a wrong list, a journal of another survey
  3    the journal or the output could not be written
  130  ended by Ctrl-C; --resume goes on

\b
Examples:
  flowtap survey -o web.jsonl hosts.txt
  flowtap survey -o web.jsonl --resume --yes hosts.txt
  flowtap survey -o mail.jsonl --port 25 --rate 5 --csv mail.csv --plot mail.png labelled.csv
  flowtap survey -o web.jsonl --client-system Windows labelled.csv
"""


@click.command(epilog=EPILOG)
@click.argument("lists", nargs=-1, required=True, metavar="LIST...", type=click.Path(dir_okay=False))
@click.option("-o", "--output", required=True, metavar="FILE", help="The journal: a JSON object a line for each host.")
@click.option("--resume", is_flag=True, help="Go on with the journal; hosts that are in it are left out.")
@click.option("--port", type=click.IntRange(1, 65535), default=80, show_default=True, help="TCP port.")
@click.option("--rate", type=Number(0.01, 10_000), default=20.0, show_default=True, help="Hosts per second, at most.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Connections at a time, at most.",
)
@click.option(
    "--timeout",
    type=Number(0.1, 120),
    default=5.0,
    show_default=True,
    metavar="S",
    help="Seconds to wait for an answer.",
)
@click.option(
    "--client-system",
    "client_systems",
    multiple=True,
    metavar="NAME",
    help="Systems whose name begins so are client-class in the report; may repeat. [default: hosts.client_systems]",
)
@fingerprints_option
@config_option
@click.option("--csv", "csv_path", metavar="FILE", help="Also write the results as CSV.")
@click.option("--plot", "plot_path", metavar="FILE", help="Draw matrix and ROC, as .png or .svg (needs labels).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--yes", is_flag=True, help="Do not ask: for scripts.")
@click.option("--no-progress", is_flag=True, help="No progress on a terminal.")
def survey(
    lists: tuple[str, ...],
    output: str,
    resume: bool,
    port: int,
    rate: float,
    concurrency: int,
    timeout: float,
    client_systems: tuple[str, ...],
    databases: tuple[str, ...],
    config: str | None,
    csv_path: str | None,
    plot_path: str | None,
    as_json: bool,
    yes: bool,
    no_progress: bool,
) -> None:
    """Contact each host of LIST once, on one TCP port, and tell which system its SYN+ACK is of.

    A LIST is a text file with an address or a name in each line, or a CSV file with the columns `host` and, where it is
    known, `label` (clean or malicious). No data is sent, and each connection is closed at once. Before anything is
    sent it is stated what will be done, and asked for. With labels the report says how well the rule "a client-class
    system that serves is infected" tells the hosts apart.
    """
    from flowtap.eval_plot import PlotError, check
    from flowtap.survey_list import HostListError, read_targets

    try:
        targets = read_targets(list(lists))
        if plot_path is not None:
            check(plot_path)
    except (HostListError, PlotError) as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None
    if not targets:
        raise SystemExit(fail(f"{', '.join(lists)}: no hosts; expected an address or a name in each line", Exit.USAGE))
    if plot_path is not None and not any(target.label for target in targets):
        raise SystemExit(fail("--plot needs hosts with labels; expected a CSV file with a label column", Exit.USAGE))
    settings = settings_of(config)
    work, journal = _prepare(databases or settings.fingerprints.files, output, resume, port)
    client = tuple(name for name in client_systems if name.strip()) or tuple(settings.hosts.client_systems)
    try:
        with work:
            code = _contact(work, journal, targets, (rate, concurrency, timeout), yes=yes, progress=not no_progress)
            if code is not Exit.REFUSED:
                _report(judged(journal.results, client), csv_path, plot_path, as_json)
    finally:
        journal.close()
    raise SystemExit(code)


def _prepare(databases: Sequence[str], output: str, resume: bool, port: int) -> tuple[Survey, Journal]:
    """Return what does the work and the journal; ends with a message when one of them cannot be had."""
    from capture.handshake_socket import HandshakeSocketError
    from flowtap.arguments import ArgumentError
    from flowtap.database import load_fingerprints
    from flowtap.survey_journal import Journal, JournalError, JournalWriteError
    from flowtap.survey_run import Survey

    try:
        work = Survey(port, load_fingerprints(databases))
    except ArgumentError as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None
    except HandshakeSocketError as error:
        raise SystemExit(fail(str(error), Exit.REFUSED)) from None
    try:
        return work, Journal(output, {"port": port}, resume=resume)
    except JournalError as error:
        code = Exit.OUTPUT if isinstance(error, JournalWriteError) else Exit.USAGE
        raise SystemExit(fail(str(error), code)) from None


def _contact(
    work: Survey,
    journal: Journal,
    targets: list[Target],
    bounds: tuple[float, int, float],
    *,
    yes: bool,
    progress: bool,
) -> Exit:
    """Contact the hosts that are not in the journal yet, if the user agrees."""
    from flowtap.survey_journal import JournalError

    rate, concurrency, timeout = bounds
    known = {result["host"] for result in journal.results}
    rest = [target for target in targets if target.host not in known]
    print(
        f"flowtap: will contact {len(rest):,} hosts on TCP port {work.port} from this host, one connection each, "
        f"no data:\nflowtap: at most {rate:g} a second and {concurrency} at a time, for about "
        f"{len(rest) / rate:,.0f} s; results go to {journal.path}",
        file=sys.stderr,
    )
    if known:
        print(f"flowtap: {len(known):,} hosts are in the journal already", file=sys.stderr)
    if rest and not yes:
        if not sys.stdin.isatty():
            return fail("nobody is there to agree; --yes agrees", Exit.REFUSED)
        if not click.confirm("Go on?", err=True):
            return Exit.REFUSED
    try:
        asyncio.run(work.contact(rest, journal, rate, concurrency, timeout, progress=progress))
    except KeyboardInterrupt:
        return fail(f"interrupted; --resume goes on with {journal.path}", Exit.INTERRUPTED)
    except JournalError as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    if work.unseen:
        print(f"flowtap: of {work.unseen} hosts that answered, the SYN+ACK was not seen", file=sys.stderr)
    return Exit.FINE


def judged(results: list[dict[str, Any]], client_systems: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the results with the class that they have when systems whose names begin so are client-class."""
    return [
        result | {"class": "client"} if (result.get("system") or "").startswith(client_systems) else result
        for result in results
    ]


def _report(results: list[dict[str, Any]], csv_path: str | None, plot_path: str | None, as_json: bool) -> None:
    import orjson

    from flowtap.eval_interval import clopper_pearson
    from flowtap.eval_plot import PlotError
    from flowtap.survey_plot import plot
    from flowtap.survey_report import report, text

    told = report(results, clopper_pearson)
    try:
        if csv_path is not None:
            with Output(csv_path) as file:
                file.write(_csv(results))
        if plot_path is not None:
            plot(told, plot_path)
    except (OutputError, PlotError) as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    say(orjson.dumps(told.as_dict(), option=orjson.OPT_INDENT_2).decode() if as_json else text(told))


COLUMNS = ("host", "address", "port", "label", "outcome", "system", "class", "fuzzy", "distance", "raw", "seconds")


def _csv(results: list[dict[str, Any]]) -> bytes:
    made = StringIO()
    writer = csv.DictWriter(made, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(results)
    return made.getvalue().encode()
