# SPDX-License-Identifier: LGPL-2.1-or-later
"""The grammar: a line and the tree it gives, in a small notation of our own; files, attributes, ids."""

from pathlib import Path

import pytest

import sigdb
from sigdb import parse, think
from sigdb.nodes import THRESHOLD, UNBOUNDED, Alternatives, Element, End, Gap, Mark, Repeat, Sequence, Signature, Size

FL0P = (
    "tcp * = < s27/15 c27/15 s300/100 > : SSH1 - client chose to refuse server key",
    "tcp * = s12 c@1 s28 + c52 s@1 c@1 s@3 : SSH1 - invalid password attempt",
    "tcp * = s12 c@1 s28 c52 s@1 c@1 s@3 : SSH1 - automated password guessing",
    "tcp * = c30/30 + c1 c1 c1 : Possible manual Windows telnet input (2)",
)


def show(node: object) -> str:
    """Print a tree: elements as side low-high, `~` after fuzzy ones, @number+plus/tolerance for references."""
    if isinstance(node, Sequence):
        return " ".join(map(show, node.items))
    if isinstance(node, Alternatives):
        return (f"${node.name}" if node.name else "") + "(" + "|".join(map(show, node.branches)) + ")"
    if isinstance(node, Repeat):
        return f"{show(node.body)}{{{node.low},{'' if node.high is None else node.high}}}"
    if isinstance(node, Mark):
        return f"[{'T' if node.low == THRESHOLD else node.low}-{node.high}]"
    if isinstance(node, Gap):
        return "..."
    if isinstance(node, End):
        return ">"
    assert isinstance(node, Element)
    sizes = ",".join(map(show_size, node.sizes)) + ("!" if node.excluded else "")
    slot = f"={node.slot}" if node.slot != node.number else ""
    name = f"#{node.name}{slot}" if node.name else ""
    return f"{'?csx'[node.side]}{sizes}{','.join(map(show_size, node.excluded))}{name}"


def show_size(one: Size) -> str:
    size = f"{one.low}-{'' if one.high == UNBOUNDED else one.high}"
    if one.reference:
        size = f"@{one.reference}{one.plus:+d}/{one.tolerance}"
    return f"{size}{'~' if one.bare else ''}"


def tree(sequence: str) -> str:
    return show(sigdb.loads(f"udp * {sequence} : d").signatures[0].sequence)


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("c48", "c48-48~"),
        ("s48", "s48-48~"),
        ("x48", "x48-48~"),
        ("C48", "c48-48~"),
        ("S900 C1500", "s900-900~ c1500-1500~"),
        ("X*", "x0-"),
        ("c48/15", "c33-63"),
        ("c48/0", "c48-48"),
        ("c5/15", "c0-20"),
        ("c0", "c0-0~"),
        ("c007", "c7-7~"),
        ("c20-600", "c20-600"),
        ("c20-20", "c20-20"),
        ("c512-", "c512-"),
        ("c*", "c0-"),
        ("c1 s@1", "c1-1~ s@1+0/0~"),
        ("c1 s@1/4", "c1-1~ s@1+0/4"),
        ("c40 s@1-16", "c40-40~ s@1-16/0~"),
        ("c40#acc s@acc+0/4", "c40-40~#acc s@1+0/4"),
        ("c40#_a1 s@_a1+7", "c40-40~#_a1 s@1+7/0~"),
        ("c1/2#a s*#b x1-2#c c3-#d s@a#e", "c0-3#a s0-#b x1-2#c c3-#d s@1+0/0~#e"),
        ("c1 + c2", "c1-1~ [T-31599] c2-2~"),
        ("c1 ~ c2", "c1-1~ [0-31599] c2-2~"),
        ("c1 +2s c2", "c1-1~ [28100-31599] c2-2~"),
        ("c1 +60ms-2s c2", "c1-1~ [15000-28100] c2-2~"),
        ("c1 +1.5s c2", "c1-1~ [28050-31599] c2-2~"),
        ("c1 +0s-0us c2", "c1-1~ [0-0] c2-2~"),
        ("c1 +1min-2h c2", "c1-1~ [29400-31320] c2-2~"),
        ("+ c1", "[T-31599] c1-1~"),
        ("c1{3}", "c1-1~{3,3}"),
        ("c1{1,3}", "c1-1~{1,3}"),
        ("c1{2,}", "c1-1~{2,}"),
        ("c1{ 1 , 3 }", "c1-1~{1,3}"),
        ("c1 {3}", "c1-1~{3,3}"),
        ("(c1)", "(c1-1~)"),
        ("( c1 s2 | c3 )", "(c1-1~ s2-2~|c3-3~)"),
        ("(c1 s2|c3)", "(c1-1~ s2-2~|c3-3~)"),
        ("c9(c1|c2)s9", "c9-9~ (c1-1~|c2-2~) s9-9~"),
        ("(c1|(c2|s3){2}){1,} s4", "(c1-1~|(c2-2~|s3-3~){2,2}){1,} s4-4~"),
        ("(+ c1){2}", "([T-31599] c1-1~){2,2}"),
        ("+ (c1)", "[T-31599] (c1-1~)"),
        ("c1 ... c2", "c1-1~ ... c2-2~"),
        ("... c1 ...", "... c1-1~ ..."),
        ("c1{0,1} s2 s@2", "c1-1~{0,1} s2-2~ s@2+0/0~"),
        ("(c1|s2) x3", "(c1-1~|s2-2~) x3-3~"),
        ("(c1 s@1){2}", "(c1-1~ s@1+0/0~){2,2}"),
        ("\tc1\t s2", "c1-1~ s2-2~"),
        ("c48,72,80/0,1190-1240", "c48-48~,72-72~,80-80,1190-1240"),
        ("c5#A s@A+60/32,@A+104,7-,*#b", "c5-5~#A s@1+60/32,@1+104/0~,7-,0-#b"),
        ("c50#A s24-1700!@A-16/0", "c50-50~#A s24-1700!@1-16/0"),
        ("c5#A s*!48/0,@1+96/4,9#B s@B", "c5-5~#A s0-!48-48,@1+96/4,9-9~#B s@2+0/0~"),
        ("( c5#F | c9/0#F ) s@F/0", "(c5-5~#F|c9-9#F=1) s@1+0/0"),
        ("c1 c5#F (s@F+1/0#F){0,} x@F", "c1-1~ c5-5~#F (s@2+1/0#F=2){0,} x@2+0/0~"),
        ("(c1 > | s1 (c2 >){0,1})", "(c1-1~ >|s1-1~ (c2-2~ >){0,1})"),
    ],
)
def test_sequence(sequence: str, expected: str) -> None:
    assert tree(sequence) == expected


def test_definitions_stand_for_groups() -> None:
    first, second = sigdb.loads(
        "let KEX = c8-255#A ( ~ s450- | s9#A ){1,2}\n"
        "# used in a definition\n"
        "let LOGIN = $KEX{2} + c@A/0 >\n\n"
        "tcp * < $KEX ~ ($LOGIN | s5) : d\n    id = a.b\n    rev = 2\n"
        "tcp * x1 +2s $KEX : e\n"
    ).signatures
    kex = "$KEX(c8-255#A{} ([0-31599] s450-|s9-9~#A={}){{1,2}})"
    assert show(first.sequence) == (
        f"{kex.format('', 1)} [0-31599] ($LOGIN({kex.format('=1', 1)}{{2,2}} [T-31599] c@1+0/0 >)|s5-5~)"
    )
    assert show(second.sequence) == f"x1-1~ [28100-31599] {kex.format('', 2)}"
    assert (first.id, first.rev, first.line, second.line) == ("a.b", 2, 5, 8)
    assert first.text == "< $KEX ~ ($LOGIN | s5)"
    assert [element.number for element in first.elements] == list(range(1, 9))


def test_definitions_hold_for_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.fp").write_text("let A = c1\ntcp * $A : d\n")
    (tmp_path / "b.fp").write_text("let A = c2\ntcp * = $A : d\n")
    (tmp_path / "c.fp").write_text("tcp * $A : d\n")
    assert [
        show(s.sequence) for s in sigdb.load([tmp_path / "a.fp", tmp_path / "b.fp"]).signatures
    ] == ["$A(c1-1~)", "$A(c2-2~)"]  # fmt: skip
    with pytest.raises(sigdb.SignatureErrors, match="nothing is defined as 'A'"):
        sigdb.load([tmp_path / "a.fp", tmp_path / "c.fp"])


def test_files_share_definitions(tmp_path: Path) -> None:
    """What another file defines is the same however it is reached, and its signatures stay its own."""
    (tmp_path / "base.fp").write_text("let A = c1\nlet B(n) = s$n $A\ntcp * $A : base\n")
    (tmp_path / "more.fp").write_text('include "base.fp"\nlet C = $B(7)\n')
    (tmp_path / "user.fp").write_text('include "base.fp"\ninclude "more.fp"\ntcp * = $C $A : user\n')
    expected = "$C($B(7)(s7-7 $A(c1-1))) $A(c1-1)"
    (alone,) = sigdb.load([tmp_path / "user.fp"]).signatures
    assert show(alone.sequence).replace("~", "") == expected
    for files in (("user", "base", "more"), ("more", "base", "user")):
        both = sigdb.load([tmp_path / f"{name}.fp" for name in files]).signatures
        assert {signature.description: show(signature.sequence).replace("~", "") for signature in both} == {
            "user": expected,
            "base": "$A(c1-1)",
        }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"a": 'include "b.fp"\ntcp * $A : d\ntcp * $B : d\n', "b": "let A = c9-1\nlet B = c1 s@X\n"},
            [
                "a.fp:3:7: in $B (b.fp, line 2, column 14) "
                "no element is named 'X'; expected a name given with '#' before",
                "b.fp:1:10: the size range 9-1 is empty; expected the smaller size first",
            ],
        ),
        (
            {"a": 'include "b.fp"\nlet A = c1\n', "b": "let A = c2\n"},
            ["a.fp:2:5: the name 'A' is defined in line 1 of b.fp already; expected another name"],
        ),
        (
            {"a": 'let A = c1\ninclude "b.fp"\n', "b": "let A = c2\n"},
            ["a.fp:2:10: the name 'A' is defined in line 1 and in line 1 of b.fp; expected one of them"],
        ),
        (
            {"a": 'include "b.fp"\n', "b": 'include "c.fp"\n', "c": 'include "a.fp"\n'},
            ["c.fp:1:10: 'a.fp' includes this file; expected no circle of files"],
        ),
        ({"a": 'include "a.fp"\n'}, ["a.fp:1:10: 'a.fp' includes this file; expected no circle of files"]),
    ],
)
def test_mistakes_of_files_together(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    for name, text in files.items():
        (tmp_path / f"{name}.fp").write_text(text)
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.load([tmp_path / "a.fp"])
    assert [str(error).removeprefix(f"{tmp_path}/") for error in caught.value.errors] == expected
    with pytest.raises(sigdb.SignatureErrors) as again:
        sigdb.load(sorted(tmp_path.glob("*.fp")))
    assert len(again.value.errors) == len(expected)


def test_shipped_files_can_be_included(tmp_path: Path) -> None:
    (tmp_path / "a.fp").write_text('include "ssh.fp"\ntcp * < $SERVICE : d\n')
    (signature,) = sigdb.load([tmp_path / "a.fp"]).signatures
    assert signature.description == "d"


@pytest.mark.parametrize(
    ("text", "exact", "begin", "end", "turns"),
    [
        ("c1", False, False, False, False),
        ("= c1", True, False, False, False),
        ("< c1", False, True, False, False),
        ("C1 >", False, False, True, True),
        ("= < C1 >", True, True, True, True),
        ("=<c1>", True, True, True, False),
        ("=(c1)>", True, False, True, False),
    ],
)
def test_flags(text: str, exact: bool, begin: bool, end: bool, turns: bool) -> None:
    signature = parse.signature(f"udp * {text} : d")
    assert (signature.exact, signature.begin, signature.end, signature.turns) == (exact, begin, end, turns)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", ((0, 65535),)),
        ("22", ((22, 22),)),
        ("22,2222", ((22, 22), (2222, 2222))),
        ("8000-8999", ((8000, 8999),)),
        ("443,80-90,8080", ((80, 90), (443, 443), (8080, 8080))),
        ("5-7,1-3,4,6-10", ((1, 10),)),
        ("0,65535", ((0, 0), (65535, 65535))),
    ],
)
def test_ports(text: str, expected: tuple[tuple[int, int], ...]) -> None:
    assert parse.ports(text, 1) == expected


def only(text: str | bytes) -> Signature:
    signatures = sigdb.loads(text, "dir/My-file.fp").signatures
    assert len(signatures) == 1
    return signatures[0]


@pytest.mark.parametrize("line", FL0P)
def test_fl0p_lines_load_as_they_are(line: str) -> None:
    signature = only(line)
    assert signature.description == line.split(" : ")[1]
    assert signature.exact
    assert signature.id == "my-file.line1"


def test_shipped_database_has_fl0ps_lines() -> None:
    texts = [line for path in sigdb.shipped() for line in Path(path).read_text().split("\n")]
    assert set(FL0P) <= set(texts)
    assert len(sigdb.load(sigdb.shipped()).signatures) >= len(FL0P)


def test_attributes() -> None:
    signature = only(
        "# head\n\nudp 53 < c1 c2 where bytes>1 and rtt<1 : a: b = c # no comment \n"
        "    # a comment\n\n  id = a.b-c_d.3\n\tseverity=critical\n  attack = T1110.001, T1021\n"
        "  category = remote access\n  rev = 12\n  reference = https://example.org/?a=b\n  note = x = y # z\n"
    )
    assert (signature.id, signature.severity, signature.attack) == ("a.b-c_d.3", "critical", ("T1110.001", "T1021"))
    assert (signature.category, signature.rev) == ("remote access", 12)
    assert (signature.reference, signature.note) == ("https://example.org/?a=b", "x = y # z")
    assert (signature.description, signature.line, signature.file) == ("a: b = c # no comment", 3, "dir/My-file.fp")
    assert (signature.text, signature.condition) == ("< c1 c2 where bytes>1 and rtt<1", "bytes>1 and rtt<1")
    assert signature.column == 8


def test_attributes_have_defaults() -> None:
    signature = only("udp 53 c1 : d")
    assert (signature.severity, signature.attack, signature.category, signature.rev) == ("medium", (), "", 1)


@pytest.mark.parametrize(("text", "name"), [("1", "low"), ("2", "medium"), ("3", "high"), ("4", "critical")])
def test_severity_by_number(text: str, name: str) -> None:
    assert only(f"udp * c1 : d\n severity = {text}").severity == name


@pytest.mark.parametrize("text", ["", "\n", "# only\n", "   \n\t\n", "\ufeff", "\r\n\r\n"])
def test_empty_files_are_correct(text: str) -> None:
    assert sigdb.loads(text).signatures == ()


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfudp * c1 : d\xc3\xa9\n  rev = 2\n",
        "udp * c1 : d\u00e9\r\n  rev = 2\r\n".encode(),
        "udp * c1 : d\u00e9\n\n  rev = 2".encode(),
    ],
)
def test_encodings_and_line_ends(text: bytes) -> None:
    signature = only(text)
    assert (signature.description, signature.rev) == ("d\u00e9", 2)


def test_ids_without_file_are_made_unique() -> None:
    text = "udp * c1 : d\nudp * c1 : d\n  id = text.line1\n"
    assert [s.id for s in sigdb.loads(text).signatures] == ["text.line1-2", "text.line1"]


def test_many_elements_and_deep_nesting_up_to_the_limits() -> None:
    assert len(only("udp * " + "c1 " * 4095 + ": d").elements) == 4095
    assert tree("(" * 32 + "c1" + ")" * 32).count("(") == 32
    assert len(sigdb.loads("udp * (c1{64}){64} : d").packets) == 4096


def test_a_plain_plus_means_the_threshold_whatever_it_is() -> None:
    program = sigdb.loads("udp * c1 + c2 : d", threshold_us=50_000)
    assert list(program.packets.pause_low) == [0, think.encode(50_000)]
