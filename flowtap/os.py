# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap os`: which systems sent the SYNs and SYN+ACKs of captures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from flowtap.arguments import ArgumentError
from flowtap.database import load_fingerprints
from flowtap.options import USAGE, config_option, fingerprints_option, settings_of
from flowtap.output import Output, OutputError
from flowtap.progress import Interrupt
from flowtap.terminal import BROKEN_PIPE, OUTPUT, fail

if TYPE_CHECKING:
    from capture import Capture
    from engine import Fingerprinter
    from flowtap.os_text import Seen

DAMAGED = 1
INTERRUPTED = 130

EPILOG = """\b
Exit codes:
  0    fine
  1    some input could not be read to its end (what came before was printed)
  2    wrong arguments, settings, filter expression or fingerprints
  3    the output could not be written
  130  interrupted
  141  whoever read the output has gone

\b
Examples:
  flowtap os a.pcap
  flowtap os --p0f-fp /etc/p0f/p0f.fp --json *.pcapng
  tcpdump -w - 'tcp[13] & 2 != 0' | flowtap os -
"""


@click.command(name="os", epilog=EPILOG, no_args_is_help=True, short_help="Tell systems by their TCP handshakes.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@fingerprints_option
@config_option
@click.option("--all", "everything", is_flag=True, help="Also print what was sent again.")
@click.option("--decap", is_flag=True, help="Look into GRE, IPIP, 6in4, VXLAN and Geneve tunnels.")
@click.option("--filter", "expression", metavar="EXPR", help="Only packets that this pcap filter lets through.")
@click.option("-q", "quiet", is_flag=True, help="No closing summary.")
@click.option("-o", "output", metavar="FILE", help="Write to FILE. [default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def os_(
    files: tuple[str, ...],
    databases: tuple[str, ...],
    config: str | None,
    everything: bool,
    decap: bool,
    expression: str | None,
    quiet: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Print which systems the SYNs and SYN+ACKs in captures come from, as p0f does.

    FILE is a pcap or pcapng file, also compressed with gzip, xz or zstd; - is standard input. A system that no
    fingerprint fits is printed as ???, with its raw signature, which can be pasted into a database.
    """
    from capture import CaptureError, FilterError, check_filter, open_capture
    from engine import Fingerprinter
    from flowtap.os_text import document, line

    try:
        database = load_fingerprints(databases or settings_of(config).fingerprints.files)
        if expression:
            check_filter(expression)
    except (ArgumentError, FilterError) as error:
        raise SystemExit(fail(str(error), USAGE)) from None
    if files.count("-") > 1:
        raise SystemExit(fail("-: standard input can be read only once", USAGE))
    code = printed = cut = 0
    unknown = 0
    try:
        with Interrupt() as interrupt, Output(output) as out:
            for path in files:
                name = "-" if path == "-" else click.format_filename(path)
                counts = Counts()
                try:
                    with open_capture(path, filter=expression, decap=decap) as capture:
                        interrupt.blocking = True
                        for seen in handshakes_of(capture, Fingerprinter(database), name, counts):
                            if everything or not seen.repeated:
                                out.write(document(seen) if as_json else line(seen))
                                printed += 1
                                unknown += seen.fingerprint.signature is None
                except (CaptureError, FilterError) as error:
                    code = fail(str(error), DAMAGED)
                finally:
                    interrupt.blocking = False
                cut += counts.cut
    except OutputError as error:
        raise SystemExit(fail(str(error), OUTPUT)) from None
    except BrokenPipeError:
        raise SystemExit(BROKEN_PIPE) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    if not quiet and not as_json:
        short = f", {cut} cut short by the capture and left out" if cut else ""
        click.echo(f"flowtap: {printed} handshakes, {unknown} of unknown systems{short}", err=True)
    raise SystemExit(code)


class Counts:
    """What is counted while a capture is read."""

    def __init__(self) -> None:
        self.cut = 0  # handshakes of which the capture holds less than the TCP header


def handshakes_of(capture: Capture, fingerprinter: Fingerprinter, name: str, counts: Counts) -> Iterator[Seen]:
    """Yield the handshakes of a capture in their order. Raises CaptureError, FilterError."""
    from capture import Batch
    from capture.handshake import handshakes
    from engine.fingerprints import RESULT_SIZE, results
    from flowtap.os_text import Seen

    batch = Batch(handshakes=True)
    records = batch.handshakes
    assert records is not None
    found = bytearray(batch.capacity * RESULT_SIZE)
    while capture.read(batch) >= 0:
        counts.cut = batch.handshakes_cut
        count = batch.handshake_count
        if fingerprinter.process(records, found, 0, count) != count:
            raise AssertionError("a fingerprinter takes a batch at once")
        for handshake, result in zip(handshakes(records, count), results(found, count), strict=True):
            yield Seen(handshake, result, fingerprinter.describe(result), name)
