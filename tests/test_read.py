# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap read` as a person calls it: text, JSON, filters, errors, exit codes."""

import gzip
import re
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from engine.events import FlowEvent, StatsEvent
from flowtap.read import read
from tests.conftest import ROOT, Command
from tests.conversation import PASSWORD, Tcp, ethernet, login, other, pcap
from tests.test_events import check


def events(text: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in text.splitlines()]


def test_text(folder: Path, flowtap: Command) -> None:
    result = flowtap("read", "-f", "a.fp", "a.pcap")
    assert result.stdout == (
        "(tcp) 83.31.193.40:3406 -> 213.134.128.25:22\n"
        "    Observed for: 104B, 6 packets, spans 9 seconds\n"
        "    Matches: SSH1 - invalid password attempt (hit: 2, confidence: 80)\n"
    )
    assert re.fullmatch(
        r"flowtap: 1 file, 21 packets, 2 flows, 1 identified; left out: .*no payload.*\n", result.stderr
    )
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["-l"],
            "(tcp) 83.31.193.40:3406 -> 213.134.128.25:22, 104B, 6 packets, spans 9 seconds: "
            "SSH1 - invalid password attempt (hit: 2, confidence: 80)\n",
        ),
        (
            ["-t"],
            "2006-12-03T05:41:08.000000Z (tcp) 83.31.193.40:3406 -> 213.134.128.25:22\n"
            "    Observed for: 104B, 6 packets, spans 9 seconds\n"
            "    Matches: SSH1 - invalid password attempt (hit: 2, confidence: 80)\n",
        ),
        (
            ["-K"],
            "# (tcp) 83.31.193.40:4000 -> 213.134.128.25:22\n"
            "#     Observed for: 342B, 3 packets, spans 1 seconds\n"
            "tcp 22 = < s21 c21 + s300 > : unidentified 83.31.193.40:4000 -> 213.134.128.25:22\n",
        ),
        (
            ["-Ul"],
            "tcp 22 = < s21 c21 + s300 > : unidentified 83.31.193.40:4000 -> 213.134.128.25:22\n"
            "# (tcp) 83.31.193.40:3406 -> 213.134.128.25:22, 104B, 6 packets, spans 9 seconds: "
            "SSH1 - invalid password attempt (hit: 2, confidence: 80)\n",
        ),
    ],
)
def test_text_options(folder: Path, flowtap: Command, options: list[str], expected: str) -> None:
    result = flowtap("read", "-q", *options, "-f", "a.fp", "a.pcap")
    assert (sorted(result.stdout.splitlines()), result.stderr) == (sorted(expected.splitlines()), "")


def test_ipv6_in_brackets(folder: Path, flowtap: Command) -> None:
    (folder / "6.pcap").write_bytes(pcap(login(client="2001:db8::1", server="2001:db8::2")))
    assert flowtap("read", "-f", "a.fp", "6.pcap").stdout.startswith("(tcp) [2001:db8::1]:3406 -> [2001:db8::2]:22\n")


def test_alert(folder: Path, flowtap: Command) -> None:
    (folder / "vlan.pcap").write_bytes(pcap(login(vlans=(7, 8))))
    alert, stats = events(flowtap("read", "--json", "-f", "a.fp", "vlan.pcap").stdout)
    check(alert, FlowEvent)
    check(stats, StatsEvent)
    assert 0 < alert["flow_id"] < 2**53
    assert alert["alert"] == {
        "action": "allowed",
        "gid": 1,
        "signature_id": alert["alert"]["signature_id"],
        "rev": 3,
        "signature": "SSH1 - invalid password attempt",
        "category": "login",
        "severity": 2,
        "metadata": {"flowtap_id": ["ssh1.password"], "mitre_technique_id": ["T1110.001", "T1078"]},
        "references": ["https://example.org/ssh1"],
    }
    flow = alert["flow"]
    assert flow["start"] == "2006-12-03T05:41:08.000000+0000"
    assert (flow["state"], flow["reason"], flow["age"], flow["alerted"]) == ("closed", "fin", 9, True)
    assert (flow["pkts_toserver"], flow["pkts_toclient"], flow["bytes_toserver"], flow["bytes_toclient"]) == (
        2,
        4,
        24,
        80,
    )
    assert {key: alert[key] for key in ("src_ip", "src_port", "dest_ip", "dest_port", "proto", "vlan", "capture")} == {
        "src_ip": "83.31.193.40",
        "src_port": 3406,
        "dest_ip": "213.134.128.25",
        "dest_port": 22,
        "proto": "TCP",
        "vlan": [7, 8],
        "capture": "vlan.pcap",
    }
    assert alert["timestamp"] == "2006-12-03T05:41:08.102000+0000"
    assert alert["community_id"].startswith("1:")
    evidence = alert["flowtap"]
    assert (evidence["id"], evidence["hits"], evidence["gap"], evidence["midstream"]) == (
        "ssh1.password",
        2,
        False,
        False,
    )
    assert stats["stats"]["packets"] == 12
    assert stats["stats"]["alerts"] == 1
    assert stats["capture"] == "vlan.pcap"


def test_icmp_has_an_identifier_and_no_ports(folder: Path, flowtap: Command) -> None:
    ends = ("192.168.0.89", "192.168.0.1")
    request, reply = (struct.pack("!BBHHH", kind, 0, 0, 4711, 1) + bytes(48) for kind in (8, 0))
    packets = [(1.0, ethernet(*ends, 1, request)), (1.1, ethernet(*ends[::-1], 1, reply))]
    (folder / "ping.pcap").write_bytes(pcap(packets))
    flow, _ = events(flowtap("read", "--json", "-K", "ping.pcap").stdout)
    check(flow, FlowEvent)
    assert (flow["proto"], flow["src_ip"], flow["icmp_id"]) == ("ICMP", "192.168.0.89", 4711)
    assert not {"src_port", "dest_port"} & set(flow)
    assert flow["community_id"] == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="
    shape = flowtap("read", "-q", "-K", "ping.pcap").stdout
    assert shape.startswith("# (icmp) 192.168.0.89 -> 192.168.0.1\n#     Observed for: 96B, 2 packets")
    assert "\nicmp * = " in shape
    (folder / "ping.fp").write_text(shape)
    assert (
        "unidentified 192.168.0.89 -> 192.168.0.1 (hit: 1, confidence: 40)"
        in flowtap("read", "-f", "ping.fp", "ping.pcap").stdout
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["alert"]),
        (["--flows"], ["alert", "flow 3406", "flow 4000"]),
        (["-U"], ["alert", "flow 4000"]),
        (["-K"], ["flow 4000"]),
    ],
)
def test_which_events(folder: Path, flowtap: Command, options: list[str], expected: list[str]) -> None:
    found = events(flowtap("read", "--json", *options, "-f", "a.fp", "a.pcap").stdout)
    for event in found[:-1]:
        check(event, FlowEvent)
    kinds = [
        event["event_type"] + (f" {event['src_port']}" if event["event_type"] == "flow" else "") for event in found
    ]
    assert sorted(kinds[:-1]) == expected
    assert kinds[-1] == "stats"


def test_an_open_flow_is_reported_as_open(folder: Path, flowtap: Command) -> None:
    (folder / "open.pcap").write_bytes(pcap(Tcp().open().send(1, "c5")))
    flow, _ = events(flowtap("read", "--json", "--flows", "open.pcap").stdout)
    assert (flow["flow"]["state"], flow["flow"]["reason"]) == ("open", "open")


def test_the_sums_of_stats_close(folder: Path, flowtap: Command) -> None:
    (folder / "b.pcap").write_bytes(pcap(login()))
    (last,) = events(flowtap("read", "--json", "a.pcap", "b.pcap", "port", "3406").stdout)[-1:]
    stats = last["stats"]
    assert last["capture"] is None
    assert [entry["capture"] for entry in stats["captures"]] == ["a.pcap", "b.pcap"]
    assert stats["packets"] == sum(entry["packets"] for entry in stats["captures"]) == 33
    assert stats["filtered"] == 9
    assert stats["packets"] == stats["filtered"] + sum(stats["verdicts"].values())


@pytest.mark.parametrize("option", ["-U", "-K", "-Ul", "-Kt"])
def test_shapes_are_a_database_again(folder: Path, flowtap: Command, option: str) -> None:
    (folder / "new.fp").write_text(flowtap("read", "-q", option, "-f", "a.fp", "a.pcap").stdout)
    result = flowtap("read", "-ql", "-f", "new.fp", "a.pcap")
    assert result.stdout.count("unidentified 83.31.193.40:4000 -> 213.134.128.25:22 (hit: 1, confidence: 80)") == 1
    assert result.stdout.count("\n") == 1


def test_shapes_of_public_captures_match_again(captures: Path, tmp_path: Path, flowtap: Command) -> None:
    files = [path for path in sorted(captures.rglob("*")) if path.suffix in (".pcap", ".pcapng", ".cap", ".gz")]
    shapes = flowtap("read", "-q", "-K", *files).stdout
    (tmp_path / "new.fp").write_text(shapes)
    again: dict[str, str] = {}
    for line in flowtap("read", "-ql", "-f", "new.fp", *files).stdout.splitlines():
        ends = line.partition(") ")[2].partition(",")[0]
        again[ends] = again.get(ends, "") + line
    lines = [line for line in shapes.splitlines() if not line.startswith("#")]
    assert len(lines) > 1000
    for line in lines:
        name = line.partition(" : unidentified ")[2]
        assert f"unidentified {name} (hit:" in again[name], line


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.pcap"], 1, "flowtap: missing.pcap: No such file or directory\n"),
        (["./missing"], 1, "flowtap: ./missing: No such file or directory\n"),
        (["missing"], 2, "flowtap: missing: no such file (captures come before the filter expression)\n"),
        (["tcp", "port", "22"], 2, "flowtap: tcp: no such file (captures come before the filter expression)\n"),
        (["a.pcap", "tcp port port"], 2, "flowtap: 'tcp port port': no such file, and as a filter expression: "),
        (["a.pcap", "tcp", "prot", "22"], 2, "flowtap: 'tcp prot 22': no such file, and as a filter expression: "),
        (["--filter", "tcp port port", "a.pcap"], 2, "flowtap: filter expression 'tcp port port': "),
        (["."], 2, "flowtap: .: is a directory, expected a capture file\n"),
        (["-", "-"], 2, "flowtap: -: standard input can be read only once\n"),
        (["-f", "no.fp", "a.pcap"], 2, "flowtap: no.fp: no such file\n"),
        (["-f", ".ci", "a.pcap"], 2, "flowtap: .ci: the directory holds no *.fp file\n"),
        (["-f", "bad.fp", "a.pcap"], 2, "flowtap: bad.fp:1:"),
        (["-o", "a.pcap", "a.pcap"], 2, "flowtap: a.pcap: is an input, it cannot be the output as well\n"),
        (["-o", "no/where", "a.pcap"], 3, "flowtap: no/where: No such file or directory\n"),
        (["-o", "/dev/full", "-f", "a.fp", "a.pcap"], 3, "flowtap: /dev/full: No space left on device\n"),
        (["--flows", "a.pcap"], 2, "Usage: flowtap read"),
        (["--idle-tcp", "nan", "a.pcap"], 2, "Usage: flowtap read"),
    ],
)
def test_errors(folder: Path, flowtap: Command, arguments: list[str], code: int, message: str) -> None:
    (folder / "bad.fp").write_text("tcp 22 = q : wrong\n")
    (folder / ".ci").mkdir()
    before = (folder / "a.pcap").read_bytes()
    result = flowtap("read", "-q", *arguments)
    assert result.stderr.startswith(message)
    assert "Traceback" not in result.stderr
    assert result.returncode == code
    assert (folder / "a.pcap").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "packets"),
    [
        (["tcp", "port", "3406"], 12),
        (["tcp port 3406"], 12),
        (["tcp port 3406", "or", "port 4000"], 21),
        (["--filter", "port 3406"], 12),
        ([], 21),
    ],
)
def test_filter(folder: Path, flowtap: Command, words: list[str], packets: int) -> None:
    result = flowtap("read", "--json", "a.pcap", *words)
    stats = events(result.stdout)[-1]["stats"]
    assert stats["packets"] - stats["filtered"] == packets


def test_a_file_that_exists_is_a_file_and_no_filter(folder: Path, flowtap: Command) -> None:
    (folder / "tcp").write_bytes((folder / "a.pcap").read_bytes())
    assert events(flowtap("read", "--json", "a.pcap", "tcp").stdout)[-1]["stats"]["packets"] == 42
    (folder / "udp").mkdir()
    assert events(flowtap("read", "--json", "a.pcap", "udp").stdout)[-1]["stats"]["filtered"] == 21


def test_damage_counts_up_to_it_and_the_others_go_on(folder: Path, flowtap: Command) -> None:
    whole = (folder / "a.pcap").read_bytes()
    (folder / "cut.pcap").write_bytes(pcap(login()) + whole[24:50])
    result = flowtap("read", "--json", "-f", "a.fp", "cut.pcap", "missing.pcap", "a.pcap")
    found = events(result.stdout)
    assert [(event["event_type"], event.get("capture")) for event in found] == [
        ("alert", "cut.pcap"),
        ("alert", "a.pcap"),
        ("stats", None),
    ]
    stats = found[-1]["stats"]
    assert [entry["packets"] for entry in stats["captures"]] == [12, 0, 21]
    assert [entry["capture"] for entry in stats["errors"]] == ["cut.pcap", "missing.pcap"]
    assert stats["errors"][0]["offset"] == len(pcap(login()))
    assert re.search(rf"^flowtap: cut.pcap: offset {len(pcap(login()))}: .", result.stderr)
    assert "flowtap: missing.pcap: No such file or directory\n" in result.stderr
    assert result.returncode == 1


def test_each_file_is_its_own_capture_unless_joined(folder: Path, flowtap: Command) -> None:
    packets = login().packets
    (folder / "1.pcap").write_bytes(pcap(packets[:6]))
    (folder / "2.pcap").write_bytes(pcap(packets[6:]))
    apart = flowtap("read", "-q", "-f", "a.fp", "1.pcap", "2.pcap").stdout
    joined = flowtap("read", "-q", "--join", "-f", "a.fp", "1.pcap", "2.pcap").stdout
    whole = flowtap("read", "-q", "-f", "a.fp", "a.pcap").stdout
    assert apart.count("(hit: 1, confidence: 80)") == apart.count("unknown (midstream): SSH1") == 1
    assert joined == whole


def test_several_files_give_what_each_gives(folder: Path, flowtap: Command) -> None:
    (folder / "b.pcap.gz").write_bytes(gzip.compress(pcap(login(cport=5555), other())))
    one = flowtap("read", "-qU", "-f", "a.fp", "a.pcap").stdout
    two = flowtap("read", "-qU", "-f", "a.fp", "b.pcap.gz").stdout
    assert flowtap("read", "-qU", "-f", "a.fp", "a.pcap", "b.pcap.gz").stdout == one + two


def test_standard_input_and_output_file(folder: Path, flowtap: Command) -> None:
    expected = flowtap("read", "-q", "-f", "a.fp", "a.pcap").stdout
    result = flowtap("read", "-q", "-f", "a.fp", "-o", "out", "-", stdin=(folder / "a.pcap").read_bytes())
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    assert (folder / "out").read_text() == expected


def test_a_directory_of_signatures(folder: Path, flowtap: Command) -> None:
    (folder / "db").mkdir()
    (folder / "db" / "1.fp").write_text(PASSWORD)
    (folder / "db" / "2.fp").write_text("tcp * = < s21 c21 + s300 > : the other\n")
    result = flowtap("read", "-q", "-f", "db", "a.pcap")
    assert sorted(re.findall("Matches: .*", result.stdout)) == [
        "Matches: SSH1 - invalid password attempt (hit: 2, confidence: 80)",
        "Matches: the other (hit: 1, confidence: 80)",
    ]


def test_the_summary_tells_what_had_no_room(folder: Path, flowtap: Command) -> None:
    assert "out of room" not in flowtap("read", "a.pcap").stderr
    (folder / "many.pcap").write_bytes(pcap(*(login(cport=port) for port in range(2000, 2020))))
    result = flowtap("read", "--max-flows", "2", "many.pcap")
    assert re.search(r"out of room: (\d+ flows cut short)?(, )?(\d+ half-open flows dropped)?\n$", result.stderr)


def test_threshold_and_exactness(folder: Path, flowtap: Command) -> None:
    (folder / "b.fp").write_text("tcp * < s22 c21 + s300 > : fuzzy\n")
    assert "fuzzy" in flowtap("read", "-f", "b.fp", "a.pcap").stdout
    assert "fuzzy" not in flowtap("read", "-F", "-f", "b.fp", "a.pcap").stdout
    assert "fuzzy" not in flowtap("read", "-T", "5000", "-f", "b.fp", "a.pcap").stdout


def test_the_sample_in_the_readme_is_what_is_printed(flowtap: Command) -> None:
    text = (ROOT / "README.md").read_text()
    sample = text.partition("$ flowtap read tests/captures/demo.pcap.gz\n")[2].partition("\n\n")[0]
    printed = flowtap("read", "-q", ROOT / "tests" / "captures" / "demo.pcap.gz").stdout
    for part in sample.split("    ...\n"):
        assert "\n".join(line.removeprefix("    ") for line in part.splitlines()) in printed


def test_help_and_handbook_name_every_option_and_exit_code() -> None:
    page = (ROOT / "docs" / "read.md").read_text()
    help_text = CliRunner().invoke(read, ["--help"]).output
    for parameter in read.params:
        for option in parameter.opts if parameter.param_type_name == "option" else []:
            assert option in help_text
            assert f"`{option}" in page or option == "--progress", option
    for code in (0, 1, 2, 3, 130, 141):
        assert f"| {code} |" in page
        assert re.search(rf"^ +{code} ", help_text, re.MULTILINE)
