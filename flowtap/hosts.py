# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap hosts`: what the running flowtap knows of hosts, asked at the query socket; or what captures show."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowtap.arguments import ArgumentError
from flowtap.hosts_errors import AskError
from flowtap.options import common, settings_of
from flowtap.output import Output, OutputError
from flowtap.terminal import fail

if TYPE_CHECKING:
    from flowtap.settings import Settings

PATIENCE = 10.0  # seconds for an answer
_LONGEST = 16 << 20  # bytes of an answer


class Exit(IntEnum):
    """The exit codes of `flowtap hosts`."""

    FINE = 0
    NONE = 1
    USAGE = 2
    OUTPUT = 3
    BROKEN_PIPE = 141


EPILOG = """\b
Exit codes:
  0    hosts were printed
  1    no collector answers, or it does not know this address; a capture could not be read to its end
  2    wrong arguments, settings or fingerprints
  3    the output could not be written
  141  whoever read the output has gone

\b
Examples:
  flowtap hosts
  flowtap hosts 192.0.2.7
  flowtap hosts --class client --port 80
  flowtap hosts --read a.pcap --read b.pcap
  flowtap hosts --json | jq -r 'select(.mixed) | .address'
"""


@click.command(epilog=EPILOG)
@click.argument("address", required=False)
@click.option(
    "--class",
    "kind",
    type=click.Choice(("client", "server", "embedded", "tool")),
    help="Only hosts of which such a system was seen.",
)
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Only hosts that answer on this TCP port.")
@click.option("--mixed", is_flag=True, help="Only addresses that several systems share.")
@click.option("-n", "limit", type=click.IntRange(1), metavar="N", help="The N hosts seen last. [default: all]")
@click.option(
    "--read",
    "files",
    multiple=True,
    metavar="FILE",
    help="Make the table from this capture, without a running flowtap; - is standard input. May repeat.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line for each host.")
@common
def hosts(
    address: str | None,
    kind: str | None,
    port: int | None,
    mixed: bool,
    limit: int | None,
    files: tuple[str, ...],
    as_json: bool,
    config: str | None,
    runtime: str | None,
) -> None:
    """Print the host table: systems seen at each address, what they do, and how sure that is.

    With ADDRESS that host alone. The table is the collector's and holds what completed TCP handshakes have shown since
    it started; the host seen last comes first. A system is named by the databases of TCP fingerprints (settings:
    fingerprints.files); an unknown one is printed as its raw signature.
    """
    from flowtap.query import canonical
    from flowtap.runtime import Runtime, RuntimeDirectoryError

    query: dict[str, Any] = {"query": "hosts", "limit": limit or 1 << 30}
    if address is not None:
        if kind or port is not None or mixed or limit:
            raise SystemExit(fail("ADDRESS goes with no option that chooses hosts", Exit.USAGE))
        try:
            query = {"query": "host", "address": canonical(address)}
        except (OSError, ValueError):
            raise SystemExit(fail(f"{address!r}: expected an IPv4 or IPv6 address", Exit.USAGE)) from None
    query |= {"class": kind} if kind else {}
    query |= {"port": port} if port is not None else {}
    query |= {"mixed": True} if mixed else {}
    settings = settings_of(config, runtime)
    try:
        found_hosts: Iterator[dict[str, Any]]
        found_hosts = _read(files, settings, query) if files else ask(Runtime(settings.runtime.dir).query, query)
    except ArgumentError as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None
    except RuntimeDirectoryError as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None
    found = 0
    try:
        with Output(None) as output:
            for host in found_hosts:
                found += 1
                output.write(_line(host) if as_json else text(host).encode())
    except AskError as error:
        raise SystemExit(fail(str(error), Exit.NONE)) from None
    except OutputError as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    except BrokenPipeError:
        raise SystemExit(Exit.BROKEN_PIPE) from None
    if address is not None and not found:
        raise SystemExit(fail(f"{address}: no completed handshake of this host was seen", Exit.NONE))
    raise SystemExit(Exit.FINE)


def _read(files: tuple[str, ...], settings: Settings, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the hosts of captures that a query of JSON asks for. Raises ArgumentError for wrong fingerprints."""
    from flowtap.database import load_fingerprints
    from flowtap.hosts_read import table

    return table(files, load_fingerprints(settings.fingerprints.files), settings, query)


def _line(host: dict[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(host, option=orjson.OPT_APPEND_NEWLINE)


def ask(path: Path, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the hosts that a query of JSON is answered with at the socket `path`. Raises AskError."""
    import orjson

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(path))
            with sock.makefile("rb") as answers:
                while query:
                    sock.sendall(orjson.dumps(query, option=orjson.OPT_APPEND_NEWLINE))
                    line = answers.readline(_LONGEST)
                    if not line.endswith(b"\n"):
                        raise AskError(f"{path}: the collector ended the connection")
                    told = orjson.loads(line)
                    if "error" in told:
                        raise AskError(f"{path}: {told['error']}")
                    yield from told["hosts"] if "hosts" in told else [told["host"]] * (told["host"] is not None)
                    query = {"query": "more"} if told.get("more") else {}
    except TimeoutError:
        raise AskError(f"{path}: no answer within {PATIENCE:g} s") from None
    except OSError as error:
        raise AskError(f"{path}: no collector answers there: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise AskError(f"{path}: no answer of a collector: {error}") from error


def text(host: dict[str, Any]) -> str:
    """Return a host as lines of text."""
    about = [f"{host['confidence']} % sure"]
    if host["distance"] >= 0:
        about.append(f"{host['distance']} hop{'s' * (host['distance'] != 1)}")
    if host["mtu"]:
        about.append(f"MTU {host['mtu']}" + (f" ({host['link']})" if host["link"] else ""))
    if host["mixed"]:
        about.append("mixed: several systems")
    lines = [f"{host['address']}  {', '.join(about)}, seen {_time(host['first_seen'])} to {_time(host['last_seen'])}"]
    for system in host["systems"]:
        kind = f" [{system['class']}]" if system["class"] else ""
        name = f"{system['label'] or system['raw']}{kind}" + (" (fuzzy)" if system["fuzzy"] else "")
        lines.append(f"    {system['side']:6}  {name}, {_handshakes(system['handshakes'])}")
    for role in host["roles"]:
        what = "answers on" if role["side"] == "server" else "connects to"
        if role["side"] == "server" and not role["answered"]:
            what = "accepts on"
        lines.append(f"    {what} port {role['port']}, {_handshakes(role['handshakes'])}, {role['answered']} with data")
    if uptime := host.get("uptime"):
        hours, minutes = divmod(uptime["minutes"], 60)
        about_it = f"{hours // 24} days {hours % 24} h {minutes} min (modulo {uptime['modulo_days']} days)"
        lines.append(f"    up {about_it}, timestamps of {uptime['rate']} Hz")
    for name, count in sorted(host.get("doubts", {}).items()):
        lines.append(f"    doubt: {name}, {_handshakes(count)}")
    return "".join("".join(c if c.isprintable() else "?" for c in line) + "\n" for line in lines)


def _handshakes(count: int) -> str:
    return f"{count} handshake{'s' * (count != 1)}"


def _time(timestamp: str) -> str:
    """Return a time without digits below the second."""
    return timestamp.partition(".")[0].replace("T", " ")
