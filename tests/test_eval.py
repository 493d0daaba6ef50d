# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap eval`: exact intervals, labels and their mistakes, who is right, what is printed."""

import gzip
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import orjson
import pytest

from flowtap.eval_interval import at_least, clopper_pearson
from flowtap.eval_labels import LabelError, read_labels
from flowtap.eval_score import hits_of, too_general
from tests.conftest import ROOT, Command
from tests.conversation import Tcp, ethernet, pcap

HEAD = "capture,proto,client_ip,client_port,server_ip,server_port,labels\n"
SIGNATURES = """\
tcp * = c10 : a failure
    id = a.failure
tcp * = + c10 : a failure, typed
    id = a.failure.typed
tcp * = s99 : a success
    id = a.success
"""


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [  # R: binom.test(right, total)$conf.int
        (0, 10, 0.0, 0.3084971),
        (10, 10, 0.6915029, 1.0),
        (1, 10, 0.002528579, 0.4450161),
        (661, 661, 0.9944347, 1.0),
        (995, 1000, 0.9883704, 0.9983748),
        (0, 0, 0.0, 1.0),
    ],
)
def test_intervals(right: int, total: int, low: float, high: float) -> None:
    assert clopper_pearson(right, total) == pytest.approx((low, high), abs=2e-6)


@pytest.mark.parametrize("total", [1, 2, 7, 40, 300])
def test_tails_are_the_sums_that_they_stand_for(total: int) -> None:
    for count in {0, 1, 2, total // 3, total // 2, total - 1, total, total + 1}:
        for p in (Fraction(0), Fraction(1, 1000), Fraction(1, 3), Fraction(1, 2), Fraction(99, 100), Fraction(1)):
            exact = sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(max(0, count), total + 1))
            assert at_least(count, total, float(p)) == pytest.approx(float(exact), rel=1e-9, abs=1e-14)


def test_an_interval_leaves_its_tails_out_also_of_a_million() -> None:
    low, high = clopper_pearson(999_900, 1_000_000)
    assert at_least(999_900, 1_000_000, low) == pytest.approx(0.025, rel=1e-6)
    assert at_least(999_901, 1_000_000, high) == pytest.approx(0.975, rel=1e-6)


@pytest.mark.parametrize(("right", "total"), [(-1, 3), (4, 3)])
def test_impossible_numbers(right: int, total: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        clopper_pearson(right, total)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: no column capture, proto"),
        ("capture,proto\n", "1: no column client_ip, client_port, server_ip, server_port, labels; expected capture,"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2\n", "2: 5 columns; expected 7"),
        (HEAD + ",tcp,1.1.1.1,1,2.2.2.2,2,x\n", "2: the capture has no name; expected a file name"),
        (HEAD + "a,sctp,1.1.1.1,1,2.2.2.2,2,x\n", "2: proto 'sctp'; expected tcp, udp, icmp"),
        (HEAD + "a,tcp,1.1.1,1,2.2.2.2,2,x\n", "2: client_ip '1.1.1'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,65536,x\n", "2: server_port '65536'; expected a number from 0 to 65535"),
        (HEAD + "\n# note\na,tcp,1.1.1.1,1,2.2.2.2,2,X\n", "4: label 'X'; expected ids joined with |"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x=0\n", "2: label 'x=0'; expected a number of hits from 1 on"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x|x=2\n", "2: label x is given twice"),
        (HEAD + 2 * "a,tcp,1.1.1.1,1,2.2.2.2,2,x\n", "3: the flow was given in line 2; expected each flow once"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x\na,tcp,2.2.2.2,2,1.1.1.1,1,x\n", "3: the flow was given in line 2"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x,y\n", "2: 8 columns; expected 7: labels are joined with |"),
        (HEAD[:-1] + ",labels\na,tcp,1.1.1.1,1,2.2.2.2,2,x,y\n", "1: more than one column labels; expected each once"),
        (HEAD.replace(",", ";"), "1: no column capture, proto, client_ip, client_port, server_ip, server_port, labels"),
        (
            HEAD + f"a,tcp,1.1.1.1,{'4' * 5000},2.2.2.2,2,x\n",
            "2: client_port '44444444444444444444'; expected a number",
        ),
        (HEAD + "a,tcp,1.1.1.1,-1,2.2.2.2,2,x\n", "2: client_port '-1'; expected a number from 0 to 65535"),
        (HEAD + "a,tcp,1.1.1.1,+1,2.2.2.2,2,x\n", "2: client_port '+1'; expected a number from 0 to 65535"),
        (HEAD + "a,tcp,1.1.1.1,,2.2.2.2,2,x\n", "2: client_port ''; expected a number from 0 to 65535"),
        (HEAD + "a,tcp,1.1.1.1,1.0,2.2.2.2,2,x\n", "2: client_port '1.0'; expected a number from 0 to 65535"),
        (HEAD + "a,tcp,1.1.1.1,\u0661,2.2.2.2,2,x\n", "2: client_port '\u0661'; expected a number from 0 to 65535"),
        (HEAD + "a,udp,1.1.1.01,1,2.2.2.2,2,x\n", "2: client_ip '1.1.1.01'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,udp,[fd00::1],1,fd00::2,2,x\n", "2: client_ip '[fd00::1]'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,udp,fd00::1/64,1,fd00::2,2,x\n", "2: client_ip 'fd00::1/64'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,udp,fd00:::1,1,fd00::2,2,x\n", "2: client_ip 'fd00:::1'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,udp,1.1.1.1:80,1,2.2.2.2,2,x\n", "2: client_ip '1.1.1.1:80'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,udp,16843009,1,2.2.2.2,2,x\n", "2: client_ip '16843009'; expected an IPv4 or IPv6 address"),
        (HEAD + "a,tcp,1.1.1.1,1,fd00::2,2,x\n", "2: client_ip '1.1.1.1' and server_ip 'fd00::2'; expected both IPv4"),
        (HEAD + "a,udp,fd00::1,1,fd00::2,2,x\na,udp,FD00:0::1,1,fd00::0002,2,x\n", "3: the flow was given in line 2"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x\na,tcp,::ffff:1.1.1.1,1,2.2.2.2,2,x\n", "3: the flow was given in line 2"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x\n./a,tcp,1.1.1.1,1,2.2.2.2,2,x\n", "3: the flow was given in line 2"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x..y\n", "2: label 'x..y'; expected ids joined with |"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x;y\n", "2: label 'x;y'; expected ids joined with |"),
        (HEAD + "a,tcp,1.1.1.1,1,2.2.2.2,2,x=1e3\n", "2: label 'x=1e3'; expected a number of hits from 1 on"),
        (HEAD + f"a,tcp,1.1.1.1,1,2.2.2.2,2,x={'9' * 5000}\n", "; expected a number of hits from 1 on"),
        (
            HEAD + f"a,{'t' * 200_000},1.1.1.1,1,2.2.2.2,2,x\n",
            "2: field larger than field limit (131072); expected CSV",
        ),
        (HEAD + 'a,"tcp', "2: unexpected end of data; expected CSV"),
        (HEAD + "a,tcp,\ud83d,1,2.2.2.2,2,x\n", "the byte 0xed is not UTF-8; expected UTF-8"),
    ],
)
def test_wrong_labels(text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(LabelError) as error:
        read_labels(str(path))
    assert str(error.value).startswith(f"{path}:") and expected in str(error.value)


@pytest.mark.parametrize(
    "row",
    [
        "a,tcp,1.1.1.1,1,2.2.2.2,2,",
        "a,TCP, 1.1.1.1 ,00001,2.2.2.2,65535, x | y=2 ,,",  # empty cells behind the last column
        "a,udp,FD00:0:0::1,0,fd00::2,2,x",
        "a,tcp,fe80::1%eth0,1,fe80::2,2,x",
        "a,icmp,1.1.1.1,,2.2.2.2,,x",
    ],
)
def test_right_labels(row: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    for end in ("\n", "\r\n", ""):
        path.write_text("\ufeff" + HEAD + row + end, newline="")
        assert len(read_labels(str(path)).captures["a"]) == 1


@pytest.mark.parametrize("damage", ["cut", "cut.gz", "empty", "text", "missing", "folder"])
def test_captures_that_cannot_be_read(damage: str, tmp_path: Path, flowtap: Command) -> None:
    """What came before is judged, the place is told, and the exit code says that it was not all."""
    good = (ROOT / "tests" / "captures" / "demo.pcap.gz").read_bytes()
    path = tmp_path / "a.pcap"
    texts = {
        "cut": (gzip.decompress(good)[:5000], "offset 4912: packet cut short"),
        "cut.gz": (good[:3000], "gzip data ends early"),
        "empty": (b"", "offset 0: empty, expected pcap or pcapng"),
        "text": (b"capture,proto\n", "offset 0: not a capture (begins with 63 61"),
        "missing": (None, "No such file or directory"),
        "folder": (None, "Is a directory"),
    }
    data, told = texts[damage]
    if data is not None:
        path.write_bytes(data)
    if damage == "folder":
        path.mkdir()
    (tmp_path / "l.csv").write_text(HEAD + "a.pcap,tcp,10.77.1.2,47372,10.77.2.2,22,ssh.auth.failure\n")
    done = flowtap("eval", "l.csv", "a.pcap")
    assert (done.returncode, done.stdout[:5]) == (1, "label")
    assert "flowtap: a.pcap: " in done.stderr and told in done.stderr


def test_captures_are_known_by_the_end_of_their_path(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    row = ",tcp,1.1.1.1,1,2.2.2.2,2,x\n"
    path.write_text(HEAD + f"a.pcap{row}x/b.pcap{row}./c.pcap{row}")
    labels = read_labels(str(path))
    assert labels.assign(["d/a.pcap", "/y/x/b.pcap", "c.pcap", "z.pcap"]) == {
        "d/a.pcap": "a.pcap", "/y/x/b.pcap": "x/b.pcap", "c.pcap": "c.pcap",
    }  # fmt: skip
    assert labels.assign(["b.pcap", "ba.pcap"]) == {}
    with pytest.raises(LabelError, match=r"a\.pcap may be d/a\.pcap or e/a\.pcap"):
        labels.assign(["d/a.pcap", "e/a.pcap"])


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("a.b", ["a"], True),
        ("a.b.c", ["a.b"], True),
        ("a.b", ["a", "a.c"], False),  # a.c says more than a
        ("ab.c", ["a"], False),
        ("a.b", [], False),
        ("a.b", ["c"], False),
        ("a.c.d", ["a", "a.c"], True),
    ],
)
def test_labels_that_are_too_general(name: str, labels: list[str], expected: bool) -> None:
    assert too_general(name, labels) is expected


@pytest.mark.parametrize(
    ("hits", "expected"),
    [({"a": 2, "a.b": 5}, 2), ({"a.b": 5, "a.c": 3}, 5), ({"ab": 5}, 0), ({}, 0)],
)
def test_hits_of_an_id(hits: dict[str, int], expected: int) -> None:
    assert hits_of("a", hits) == expected


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Write a capture of seven flows, known by client port, and its labels."""

    def talk(port: int, *steps: str) -> Tcp:
        return Tcp(cport=port).open().send(0.1, *steps).close(9)

    damaged = Tcp(cport=5).open().send(0.1, "c10", "c20", "s99").close(9)
    damaged.packets = [packet for packet in damaged.packets if len(packet[1]) != 14 + 40 + 20]
    flows = [
        talk(1, "c10", "s20", "c10"),  # counted right
        talk(2, "c10", "s20", "+", "c10", "s99"),  # typed; a success that the labels do not know
        talk(3, "s98", "c5"),  # a success that is missed
        talk(4, "c10"),  # labelled with two
        damaged,  # labelled, with a gap
        talk(6, "s99"),  # known to be nothing
        talk(7, "s99"),  # without labels
    ]
    ping = ethernet("1.1.1.1", "2.2.2.2", 1, b"\x08\x00\x00\x00\x00\x09\x00\x01" + bytes(20))
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "a.pcap").write_bytes(pcap(*flows, [(1165124468.0, ping)]))
    (tmp_path / "a.fp").write_text(SIGNATURES)
    labels = ["a.failure=2", "a.failure=2|a.failure.typed", "a.success", "a.failure=2", "a.success", "", None, "x"]
    rows = [
        f"a.pcap,TCP,83.31.193.40,{port},213.134.128.25,22,{label}\n"
        for port, label in enumerate(labels, 1)
        if label is not None
    ]
    rows += ["b.pcap,tcp,1.1.1.1,1,2.2.2.2,2,a.success\n", "a.pcap,icmp,1.1.1.1,9,2.2.2.2,,\n"]
    (tmp_path / "labels.csv").write_text(HEAD + "".join(rows))
    return tmp_path


def test_scores(lab: Path, flowtap: Command) -> None:
    result = flowtap("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--json", "--flows")
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = orjson.loads(result.stdout)
    names = ("flows", "true_positives", "false_positives", "misses", "abstentions", "withheld", "undecided")
    assert {one["id"]: tuple(one[name] for name in names) for one in document["labels"]} == {
        "a.failure": (3, 3, 0, 0, 0, 1, 0),
        "a.failure.typed": (1, 1, 0, 0, 0, 0, 0),
        "a.success": (2, 0, 2, 1, 1, 0, 0),
    }
    by_id = {one["id"]: one for one in document["labels"]}
    assert by_id["a.failure"]["counted_exactly"] | {"low": 0, "high": 0} == {
        "value": 2 / 3, "low": 0, "high": 0, "right": 2, "total": 3,
    }  # fmt: skip
    assert by_id["a.success"]["precision"]["value"] == 0
    assert by_id["a.failure.typed"]["counted_exactly"] is None
    wrong = {int(one["flow"].split(":")[1].split(" ")[0]): one for one in document["wrong"]}
    assert {port: (one["false"], one["missed"], one["miscounted"]) for port, one in wrong.items()} == {
        2: (["a.success"], [], []),
        3: ([], ["a.success"], []),
        4: ([], [], [{"id": "a.failure", "expected": 2, "counted": 1}]),
        6: (["a.success"], [], []),
    }
    assert wrong[6]["shape"] == "tcp 22 = < s99 >"
    assert document["unlabelled"] == {"flows": 1, "found": {"a.success": 1}}
    assert document["not_found"] == [{"capture": "lab/a.pcap", "line": 8}]
    assert document["captures_not_given"] == ["b.pcap"]
    assert document["flows"] == len(document["judged"]) == 7
    assert [one["unknown"] for one in document["judged"] if one["unknown"]] == [["gap"]]
    assert result.stderr == (
        "flowtap: labels.csv:8: this flow is not in lab/a.pcap\n"
        "flowtap: labels.csv: captures that were not given: b.pcap\n"
    )


def test_the_same_under_other_conditions(lab: Path, flowtap: Command) -> None:
    lines = (lab / "labels.csv").read_text().splitlines()
    more = {1: "login", 2: "login", 3: "other"}
    rows = [f"{line},{'session' if number == 0 else more.get(number, '')}" for number, line in enumerate(lines)]
    rows += [row.replace("a.pcap", "c.pcap").replace("failure=2", "failure=1") for row in rows[3:4]]
    (lab / "c.pcap").write_bytes((lab / "lab" / "a.pcap").read_bytes())
    (lab / "labels.csv").write_text("\n".join(rows) + "\n")
    words = ("eval", "labels.csv", "lab/a.pcap", "c.pcap", "-f", "a.fp", "--same", "session")
    document = orjson.loads(flowtap(*words, "--json").stdout)["same"]
    assert document == {
        "things": 1,
        "labels": [{"id": "a.success", "compared": 1, "differ": 0}],
        "differences": [],
        "other_labels": [],
        "alone": ["login"],
        "abstained": 0,
    }
    assert "the same under other conditions: 1 compared" in flowtap(*words).stdout
    assert "no column shift; expected capture," in flowtap(*words[:-1], "shift").stderr


def test_kinds_and_labels_that_no_signature_has(lab: Path, flowtap: Command) -> None:
    text = (lab / "labels.csv").read_text().replace(",22,a.success", ",22,a.succes")
    (lab / "labels.csv").write_text(text)
    words = ("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--either", "a.failure,a.succes")
    result = flowtap(*words, "--json")
    document = orjson.loads(result.stdout)
    assert document["labels_without_signature"] == {"a.succes": 2}
    assert [one["flows"] for one in document["either"]["kinds"]] == [3, 2]
    assert document["either"]["all"]["answered"]["right"] == 3
    assert "no signature has these ids, nor any below them: a.succes (2 flows)" in result.stderr
    lines = flowtap(*words, "-q").stdout.splitlines()
    assert lines.index("a.failure or a.succes, by flow:") < lines.index("wrong flows:")
    failed = flowtap("eval", "labels.csv", "lab/a.pcap", "--either", "a")
    assert (failed.returncode, "expected two ids or more" in failed.stderr) == (2, True)


def test_flows_without_labels_can_be_negatives(lab: Path, flowtap: Command) -> None:
    result = flowtap("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--json", "--unlabelled-negative", "-q")
    document = orjson.loads(result.stdout)
    assert {one["id"]: one["false_positives"] for one in document["labels"]}["a.success"] == 3
    assert document["unlabelled"] == {"flows": 1, "found": {}}
    assert (document["wrong"][-1]["line"], document["wrong"][-1]["false"]) == (None, ["a.success"])
    assert result.stderr == ""


def test_false_alarms_are_counted_for_every_signature(lab: Path, flowtap: Command) -> None:
    words = ["eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--alarms", "-q"]

    def counted(*more: str) -> dict[str, tuple[int, int]]:
        told = orjson.loads(flowtap(*words, "--json", *more).stdout)["alarms"]
        return {one["id"]: (one["flows"], one["wrong"]) for one in told}

    # Seen well enough: 1 and 4 (a failure), 2 (typed), 3 (a success), 6 and the ping (nothing). 1 and 4 do not tell
    # whether somebody typed.
    assert counted() == {"a.failure": (3, 0), "a.failure.typed": (3, 0), "a.success": (5, 2)}
    assert counted("--unlabelled-negative")["a.success"] == (6, 3)
    lines = flowtap(*words).stdout.splitlines()
    assert lines[-5:-3] == [
        "false alarms, in 10,000 flows that are not of its kind:",
        "signature          flows  wrong    rate  at most (95 %)",
    ]
    assert lines[-1].split() == ["a.success", "5", "2", "4000.00", "8533.67"]  # R: binom.test(2, 5)$conf.int


def test_text(lab: Path, flowtap: Command) -> None:
    result = flowtap("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["label", "flows", "right", "wrong", "missed", "abstained", "precision", "recall"]
    assert "a.failure            3      3      0      0         0  1.0000 (0.292-1.000)" in result.stdout
    assert "a.failure                 2 of 3  0.6666 (0.094-0.992)" in result.stdout
    at = lines.index("  lab/a.pcap: (tcp) 83.31.193.40:6 -> 213.134.128.25:22 (line 7): false a.success")
    assert lines[at + 1 : at + 3] == ["      labels: none", "      tcp 22 = < s99 >"]
    assert "a.failure counted 1, expected 2" in result.stdout
    assert "1 flows without labels, in which was found: a.success 1" in result.stdout
    every = flowtap("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--flows").stdout
    assert "unknown: gap" in every and "found nothing" in every


def test_a_client_taken_for_the_server_keeps_its_labels(tmp_path: Path, flowtap: Command) -> None:
    conversation = Tcp(cport=22, sport=4000).open().send(0.1, "c10", "s20").close(3)
    (tmp_path / "a.pcap").write_bytes(pcap(conversation.packets[3:]))  # without the handshake port 22 is the server
    (tmp_path / "a.fp").write_text(SIGNATURES)
    (tmp_path / "labels.csv").write_text(HEAD + "a.pcap,tcp,83.31.193.40,22,213.134.128.25,4000,a.failure\n")
    result = flowtap("eval", "labels.csv", "a.pcap", "-f", "a.fp", "--json")
    document = orjson.loads(result.stdout)
    assert (document["reversed"], document["labels"][0]["abstentions"]) == (1, 1)
    assert "1 flows whose client was taken for the server" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["none.csv", "lab/a.pcap"], 2, "none.csv: No such file or directory"),
        (["labels.csv", "lab/a.pcap", "-f", "none.fp"], 2, "none.fp: no such file"),
        (["labels.csv", "lab/a.pcap", "--plot", "a.doc"], 2, "a.doc: expected a name that ends in .png or .svg"),
        (["labels.csv", "labels.csv"], 1, "labels.csv"),
        (["labels.csv", "lab/a.pcap", "-o", "/dev/full"], 3, "No space left"),
        (["labels.csv"], 2, "Missing argument"),
    ],
)
def test_errors(arguments: list[str], code: int, expected: str, lab: Path, flowtap: Command) -> None:
    result = flowtap("eval", *arguments)
    assert result.returncode == code
    assert expected in result.stderr and "Traceback" not in result.stderr


def test_captures_without_labels_are_told(lab: Path, flowtap: Command) -> None:
    (lab / "c.pcap").write_bytes((lab / "lab" / "a.pcap").read_bytes())
    result = flowtap("eval", "labels.csv", "c.pcap", "-f", "a.fp")
    assert "c.pcap: labels.csv has no labels for it" in result.stderr
    assert "8 flows without labels" in result.stdout


def test_a_plot_without_matplotlib_is_a_clear_error(lab: Path, flowtap: Command) -> None:
    (lab / "matplotlib.py").write_text("raise ImportError\n")  # the folder is where Python looks first
    result = flowtap("eval", "labels.csv", "lab/a.pcap", "--plot", "a.png")
    assert result.returncode == 2
    assert result.stderr.startswith("flowtap: --plot needs matplotlib: pip install matplotlib")


@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_plot(name: str, lab: Path, flowtap: Command) -> None:
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")
    result = flowtap("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--plot", name)
    assert result.returncode == 0, result.stderr
    data = (lab / name).read_bytes()
    assert data.startswith(b"\x89PNG") if name == "a.png" else b"<svg" in data
    failed = flowtap("eval", "labels.csv", "lab/a.pcap", "-f", "a.fp", "--plot", f"nowhere/{name}")
    assert (failed.returncode, "No such file" in failed.stderr) == (3, True)
