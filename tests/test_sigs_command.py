# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap sigs`: output, exit codes, and that an explained example is one that matches."""

from pathlib import Path
from random import Random

import orjson
import pytest
from click.testing import CliRunner, Result

import sigdb
from flowtap.sigs import sigs
from sigdb import example, explain
from tests import reference, signatures

DATABASE = """\
tcp 22,2222 = < s12 c@1 (+2s c52/4 | c20-600){2} ... s512- > where bytes > 10k : Two ways in
    id = test.two
    severity = high
    attack = T1110.001, T1021
    note = made up
udp * C100 + C@1-16/4 X* : Turns
    id = test.turns
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(sigs, arguments)


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "test.fp"
    path.write_text(DATABASE)
    return str(path)


def test_check(database: str, tmp_path: Path) -> None:
    result = run("check", database)
    assert (result.exit_code, result.stdout) == (0, "2 signatures in 1 file: correct\n")
    wrong = tmp_path / "wrong.fp"
    wrong.write_text("tcp * c : d\nudp * : d\n")
    result = run("check", database, str(wrong))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"{wrong}:1:8: 'c' has no size; expected a size: 48, 48/15, 20-600, 512-, *, @3\n"
        f"{wrong}:2:6: the end where the sequence is empty; expected an element, for example c48\n"
        "2 mistakes\n"
    )


def test_a_directory_stands_for_its_files(database: str, tmp_path: Path) -> None:
    (tmp_path / "other.fp").write_text("tcp * c5 : another")
    assert run("check", str(tmp_path)).stdout == "3 signatures in 2 files: correct\n"
    assert "another" in run("list", "-f", str(tmp_path)).stdout
    assert run("explain", "other.line1", "-f", str(tmp_path)).exit_code == 0
    (tmp_path / "empty").mkdir()
    result = run("check", str(tmp_path / "empty"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Is a directory" in result.stderr


def test_check_json(database: str) -> None:
    result = run("check", "--json", database, "/nonexistent.fp")
    assert result.exit_code == 1
    assert orjson.loads(result.stdout) == {
        "files": [database, "/nonexistent.fp"],
        "signatures": 0,
        "rules": 0,
        "errors": [
            {
                "file": "/nonexistent.fp",
                "line": 0,
                "column": 0,
                "message": "cannot be read (No such file or directory); expected a file of signatures",
            }
        ],
    }
    result = run("check", "--json", database)
    assert (result.exit_code, orjson.loads(result.stdout)["signatures"]) == (0, 2)


def test_usage_errors() -> None:
    for arguments in (["check"], ["explain"], ["list", "--foo"], ["nothing"]):
        assert run(*arguments).exit_code == 2


def test_list(database: str) -> None:
    result = run("list", "-f", database)
    assert result.exit_code == 0
    assert result.stdout == (
        "test.two    high      tcp/22,2222  Two ways in\n"
        "test.turns  medium    udp/*        Turns\n"
    )  # fmt: skip
    listed = orjson.loads(run("list", "-f", database, "--json").stdout)
    assert [entry["id"] for entry in listed] == ["test.two", "test.turns"]
    assert listed[0]["attack"] == ["T1110.001", "T1021"]


def test_list_of_wrong_or_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "x.fp"
    path.write_text("nonsense")
    result = run("list", "-f", str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{path}:1:1: unknown protocol 'nonsense'")
    path.write_text("")
    assert run("list", "-f", str(path)).stdout == ""


def test_list_shows_the_shipped_database() -> None:
    assert "ssh1.auth.failure.manual" in run("list").stdout


def test_explain(database: str) -> None:
    result = run("explain", "test.two", "-f", database)
    assert result.exit_code == 0
    assert (
        result.stdout
        == f"""\
test.two: Two ways in
    severity   high
    confidence 80
    attack     T1110.001, T1021
    rev        1
    note       made up
    written in {database}:1

Matches:
    A flow of tcp, server ports 22, 2222.
    From the beginning of the flow:
      1. The server sends a packet of 12 bytes.
      2. The client sends a packet of as many bytes as element 1, less than 400ms later.
      Either, 2 times:
        3. The client sends a packet of 48 to 56 bytes, at least 2s later.
      Or:
        4. The client sends a packet of 20 to 600 bytes, less than 400ms later.
      Any number of packets, or none, after any pauses.
      5. The server sends a packet of at least 512 bytes, after any pause.
    There the flow ends.
    And of the flow as a whole: bytes > 10k.

Example: < s12 c12 +2s c52 +2s c52 s512 >
"""
    )


def test_explain_turns_json(database: str) -> None:
    facts = orjson.loads(run("explain", "test.turns", "-f", database, "--json").stdout)
    assert facts["sentences"] == [
        "A flow of udp, any server port.",
        "Anywhere in the flow:",
        "  1. The client sends a turn of about 100 bytes (95 to 105).",
        "  2. The client sends a turn of 16 bytes fewer than element 1, give or take 4, at least 400ms later.",
        "  3. Either side sends a turn of any size, less than 400ms later.",
    ]
    assert facts["example"] == "C100 + C84 S64"
    assert facts["packets"][1] == {"side": "c", "size": 84, "think_us": 400_000}


def test_explain_sets_names_and_definitions(tmp_path: Path) -> None:
    path = tmp_path / "new.fp"
    path.write_text(
        "let HELLO = c48,72/0,100-!512- (s20#F | s*!@F0/0#F)\n"
        "tcp * < s9#F0 $HELLO ( + s@F,@F-4/2 | c5 > ) : Much\n    id = test.new\n"
    )
    result = run("explain", "test.new", "-f", str(path))
    assert result.exit_code == 0, result.stderr
    assert (
        result.stdout.split("Matches:\n")[1]
        == """\
    A flow of tcp, any server port.
    From the beginning of the flow:
      1. The server sends a packet of about 9 bytes (7 to 11).
      In a row ($HELLO):
        2. The client sends a packet of about 48 bytes (46 to 50), 72 bytes or at least 100 bytes, but not of at least 512 bytes, less than 400ms later.
        Either:
          3. The server sends a packet (F) of about 20 bytes (18 to 22), less than 400ms later.
        Or:
          4. The server sends a packet (F) of any size, but not of as many bytes as element 1, less than 400ms later.
      Either:
        5. The server sends a packet of about as many bytes as the last F or 4 bytes fewer than the last F, give or take 2, at least 400ms later.
      Or:
        6. The client sends a packet of about 5 bytes (3 to 7), less than 400ms later.
        There the flow ends.

Example: < s9 c48 s20 + s20
"""  # noqa: E501
    )


def test_explain_says_what_the_author_wrote_and_a_definition_once(tmp_path: Path) -> None:
    path = tmp_path / "a.fp"
    path.write_text(
        "# SPDX-License-Identifier: X\n# The whole file.\n\n# Taken from: nothing.\n#\n# Fails: always.\n"
        "let P = s1 c2\n# of P\ntcp 22,24,26,28,30,32,34,36 = $P $P : twice\n    id = a\n"
        "# Another one.\ntcp * = c1 : b\n    id = b\n\ntcp * = c1 : c\n    id = c\n"
    )
    lines = [line.strip() for line in run("explain", "a", "-f", str(path)).stdout.splitlines()]
    at = lines.index("Taken from: nothing.")
    assert lines[at + 1 : at + 4] == ["", "Fails: always.", ""]
    assert lines.index("In a row ($P):") + 3 == lines.index("$P, less than 400ms later, as above.")
    comments = {name: orjson.loads(run("explain", name, "-f", str(path), "--json").stdout)["comment"] for name in "abc"}
    assert comments == {"a": ["Taken from: nothing.", "", "Fails: always."], "b": ["Another one."], "c": []}
    assert "tcp/22,24,26,28,30,...  twice" in run("list", "-f", str(path)).stdout


def test_explain_unknown_id(database: str) -> None:
    result = run("explain", "test.tow", "-f", database)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: no signature has the id 'test.tow'; did you mean test.two or test.turns?\n"
    assert "'flowtap sigs list' shows all" in run("explain", "zzzzz", "-f", database).stderr


@pytest.mark.parametrize("seed", range(3))
def test_examples_match_their_signatures(seed: int) -> None:
    random = Random(seed)
    found = 0
    for _ in range(300):
        signature = sigdb.loads(signatures.line(random)).signatures[0]
        assert explain.sentences(signature)
        packets = example.find(signature)
        if packets is None:
            continue
        found += 1
        flow = [(packet.side, packet.size, packet.think) for packet in packets]
        assert reference.hits(signature, flow, True, True), (signature.text, packets)
        shape = example.shape(signature, packets)
        again = sigdb.loads(f"{signature.protocol} * = {shape} : again").signatures[0]
        assert reference.hits(again, flow, True, True), (signature.text, shape)
    assert found > 270


@pytest.mark.parametrize(
    ("sequence", "shape"),
    [
        ("c1{300} s2", "c1{300} s2"),
        ("(+ c1){300} s2", "( + c1 ){300} s2"),
        ("+ c1{300} s2", "+ c1 c1{299} s2"),
        ("c1{5}", "c1 c1 c1 c1 c1"),
        ("c1{999} c1{502}", "c1{1000} c1{501}"),
        ("c48/0,72!40-60", "c72"),
        ("c*!20-100", "c101"),
        ("c9#A s@A+60,7!60-70", "c9 s71"),
        ("( c5#A | s7#A ) x@A+2/0", "c5 c7"),
        ("c5 ( s1 > | s2 s3 )", "c5 s1 >"),
        ("c*#a s@a-100/0 c@a/0", "c101 s1 c101"),
        ("c10-20#a s@a-15/3", "c15 s1"),
        ("x1400 s@1+60 s@2+60", "c1400 s1460 s1520"),
        ("c1 ... s2", "c1 s2"),
        ("X1 X2 + X3", "C1 S2 + C3"),
        ("( c1 s2 | s3 ) s@0 >", ""),
    ],
)
def test_example_shapes(sequence: str, shape: str) -> None:
    try:
        signature = sigdb.loads(f"tcp * {sequence} : d").signatures[0]
    except sigdb.SignatureErrors:
        assert shape == ""
        return
    packets = example.find(signature)
    assert packets is not None
    assert example.shape(signature, packets) == shape
    assert reference.hits(signature, [(p.side, p.size, p.think) for p in packets], True, True)


def test_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.fp"
    path.write_text("tcp * = c1 : one\n  id = a\nflows : many ones\n  id = r\n  sequence = 90 a in 120s by src,dst\n")
    assert run("check", str(path)).stdout == "1 signature and 1 rule in 1 file: correct\n"
    assert orjson.loads(run("check", "--json", str(path)).stdout)["rules"] == 1
    assert run("list", "-f", str(path)).stdout.splitlines()[1] == "r  medium    flows  many ones"
    assert "Makes an alert of: 90 a in 2min by src,dst\n" in run("explain", "r", "-f", str(path)).stdout
    facts = orjson.loads(run("explain", "r", "--json", "-f", str(path)).stdout)
    assert (facts["protocol"], facts["sequence"]) == ("flows", "90 a in 2min by src,dst")


def test_shipped_signatures_have_examples() -> None:
    """Each has an example, and by the definition of the language it matches at its last packet."""
    for signature in sigdb.read(sigdb.shipped())[0]:
        packets = example.find(signature)
        assert packets is not None, signature.id
        flow = [(one.side, one.size, one.think) for one in packets]
        ended = signature.end or packets[-1].end
        assert len(packets) in reference.hits(signature, flow, True, ended), signature.id
