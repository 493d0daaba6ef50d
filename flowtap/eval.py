# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap eval`: how right a signature database is, on captures whose flows are known."""

from __future__ import annotations

import sys

import click

from flowtap.arguments import ArgumentError
from flowtap.database import load_database
from flowtap.eval_labels import LabelError, read_labels
from flowtap.eval_plot import PlotError
from flowtap.options import exact_option, signatures_option, threshold_option
from flowtap.output import Output, OutputError
from flowtap.progress import Interrupt, Progress
from flowtap.read import Exit
from flowtap.terminal import fail

EPILOG = """\b
Exit codes:
  0    fine, whatever the scores are
  1    some capture could not be read to its end (what came before was used)
  2    wrong arguments, labels or signatures: nothing was read
  3    the output or the picture could not be written
  130  interrupted: nothing is printed
  141  whoever read the output has gone

\b
Examples:
  flowtap eval labels.csv lab/*.pcap
  flowtap eval labels.csv lab/*.pcap -f mine.fp --plot confusion.png
  flowtap eval labels.csv benign.pcap --unlabelled-negative --alarms
  flowtap eval labels.csv rtt-*.pcap --same session
  flowtap eval labels.csv lab/*.pcap --either human,automated
"""


@click.command("eval", epilog=EPILOG, no_args_is_help=True)
@click.argument("labels", metavar="LABELS.csv")
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@signatures_option
@exact_option
@threshold_option
@click.option("--unlabelled-negative", "negative", is_flag=True, help="What is found in flows without labels is wrong.")
@click.option("--alarms", is_flag=True, help="Count the false alarms of each signature, with the bounds of their rate.")
@click.option("--same", metavar="COLUMN", help="Compare flows that have the same text in this column of the labels.")
@click.option("--either", metavar="ID,ID...", help="How many flows of these kinds are told, and how many rightly.")
@click.option("--flows", is_flag=True, help="Print all judged flows, not only the wrong ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--plot", metavar="FILE", help="Draw the confusion matrix: FILE.png or FILE.svg. Needs matplotlib.")
@click.option("-o", "output", metavar="FILE", help="Write to FILE. [default: standard output]")
@click.option("-q", "quiet", is_flag=True, help="No progress, no remarks on standard error.")
@click.option("--decap", is_flag=True, help="Look into GRE, IPIP, 6in4, VXLAN and Geneve tunnels.")
def evaluate(
    labels: str,
    captures: tuple[str, ...],
    signatures: tuple[str, ...],
    exact: bool,
    threshold: int,
    negative: bool,
    alarms: bool,
    same: str | None,
    either: str | None,
    flows: bool,
    as_json: bool,
    plot: str | None,
    output: str | None,
    quiet: bool,
    decap: bool,
) -> None:
    """Run a database over labelled captures and print how right it is, label by label.

    LABELS.csv says what each flow is. Its first line names the columns: capture, proto, client_ip, client_port,
    server_ip, server_port, labels. The capture is its path as given here or the end of it; labels are ids joined with
    |, each maybe with the number of hits: ssh.auth.failure=3|human.password.
    """
    try:
        kinds: list[str] = []
        if either is not None:
            from flowtap.eval_either import kinds_of

            kinds = kinds_of(either)
        known = read_labels(labels, same)
        paths = list(dict.fromkeys(click.format_filename(path) for path in captures))
        names = known.assign(paths)
        program = load_database(signatures, pause_ms=threshold, exact=exact)
        if plot is not None:
            from flowtap.eval_plot import check

            check(plot)
    except (LabelError, ArgumentError, PlotError) as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None

    import orjson

    from engine import Limits
    from flowtap import eval_alarms
    from flowtap.eval_either import answers, either_object, either_text
    from flowtap.eval_same import compare, same_object, same_text
    from flowtap.eval_score import Judge
    from flowtap.eval_text import as_object, as_text, remarks
    from flowtap.reading import Run

    judge = Judge(known, names, program.signatures, negative=negative)
    bar = Progress(not quiet)
    try:
        with Interrupt() as interrupt, Output(output, bar.clear) as out:
            run = Run(program, Limits(), judge, out, bar, interrupt, report_all=True, expression=None, decap=decap)
            run.files(paths, join=False)
            stats = run.finish()["stats"]
            if interrupt.seen:
                raise SystemExit(Exit.INTERRUPTED)
            scores = judge.scores(paths)
            alike = compare(scores.flows) if same else None
            told = answers(scores.flows, kinds) if kinds else None
            false = eval_alarms.alarms(scores, [one.id for one in program.signatures]) if alarms else None
            if as_json:
                document = {**as_object(scores, every=flows), "errors": stats["errors"]}
                if alike is not None:
                    document["same"] = same_object(alike)
                if told is not None:
                    document["either"] = either_object(told)
                if false is not None:
                    document["alarms"] = eval_alarms.alarms_object(false)
                out.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            else:
                text = as_text(scores, every=flows, before=either_text(told) if told else "")
                text += same_text(alike) if alike else ""
                out.write((text + (eval_alarms.alarms_text(false) if false is not None else "")).encode())
        if plot is not None:
            from flowtap.eval_plot import draw

            draw(scores.flows, plot)
    except (OutputError, PlotError) as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    except BrokenPipeError:
        raise SystemExit(Exit.BROKEN_PIPE) from None
    if not quiet:
        for remark in remarks(labels, scores):
            print(f"flowtap: {remark}", file=sys.stderr)
    raise SystemExit(Exit.DAMAGED if stats["errors"] else Exit.FINE)
