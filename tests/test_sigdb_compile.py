# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiler's automata against the definition of the language, and the arrays' own promises."""

import os
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sigdb
from tests import nfa, reference, signatures

PAIRS = 100_000 if os.environ.get("FLOWTAP_NIGHTLY") == "1" else 3_000

SETTINGS: list[dict[str, Any]] = [
    {},
    {"fuzzy": False},
    {"fuzz_bytes": 0, "fuzz_percent": 20},
    {"threshold_us": 60_000},
]


@pytest.mark.parametrize("references", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_automaton_agrees_with_definition(seed: int, references: bool) -> None:
    random = Random(seed * 2 + references)
    done = matched = 0
    while done < PAIRS:
        text = signatures.lines(random, 3, references)
        options = random.choice(SETTINGS)
        program = sigdb.loads(text, **options)
        judge = {key: value for key, value in options.items() if key != "threshold_us"}
        for signature in program.signatures:
            for _ in range(2):
                packets = signatures.flow(random, signature)
                begin, ended = random.random() < 0.8, random.random() < 0.8
                found = nfa.hits(program, packets, begin, ended)
                for index, other in enumerate(program.signatures):
                    expected = reference.hits(other, packets, begin, ended, threshold=program.threshold, **judge)
                    if program.references[index]:
                        assert set(expected) <= set(found[index]), (other.text, packets, begin, ended, options)
                    else:
                        assert expected == found[index], (other.text, packets, begin, ended, options)
                    done += 1
                    matched += bool(expected)
    assert matched > done // 10, "the flows match too rarely to show anything"


@pytest.mark.parametrize("seed", range(3))
def test_automaton_of_text_with_every_construct(seed: int) -> None:
    """The random signatures do exercise every construct, or the agreement above shows less than it seems to."""
    text = signatures.lines(Random(seed), 300)
    for construct in ("<", " >", "-", "/", "@", "#", "+2s", "+60ms-2s", " + ", "~", "{0,", ",}", "|", "((", "...", "C"):
        assert construct in text, construct
    for construct in (r",@", r"!\d", r"!@", r"#A.*#A.*@A", r"> ?\)", r"> ?\|"):
        assert re.search(construct, text), construct


def columns(text: str, **options: Any) -> list[tuple[int, ...]]:
    """Return element, side, size range, think code range, flags and successors of each packet position."""
    stream = sigdb.loads(text, **options).packets
    start = stream.follow_start
    return [
        (stream.element[p], stream.side[p], stream.low[p], stream.high[p], stream.pause_low[p], stream.pause_high[p],
         stream.flags[p], *stream.follow[start[p] : start[p + 1]])
        for p in range(len(stream))
    ]  # fmt: skip


TOP, BELOW, AT = 31_599, 21_999, 22_000


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("= c5", [(1, 1, 5, 5, 0, TOP, 3)]),
        ("c5", [(1, 1, 3, 7, 0, TOP, 3)]),
        ("c100", [(1, 1, 95, 105, 0, TOP, 3)]),
        ("c5/0", [(1, 1, 5, 5, 0, TOP, 3)]),
        ("c5/9", [(1, 1, 0, 14, 0, TOP, 3)]),
        ("x7-", [(1, 3, 7, 0xFFFFFFFF, 0, TOP, 3)]),
        ("c5/0 s*", [(1, 1, 5, 5, 0, TOP, 1, 1), (2, 2, 0, 0xFFFFFFFF, 0, BELOW, 2)]),
        ("c5/0 + s*", [(1, 1, 5, 5, 0, TOP, 1, 1), (2, 2, 0, 0xFFFFFFFF, AT, TOP, 2)]),
        ("= c5{2}", [(1, 1, 5, 5, 0, TOP, 1, 1), (1, 1, 5, 5, 0, BELOW, 2)]),
        ("= c5{1,}", [(1, 1, 5, 5, 0, TOP, 3, 1), (1, 1, 5, 5, 0, BELOW, 2, 1)]),
        (
            "= c5{0,1} s5",
            [(1, 1, 5, 5, 0, TOP, 1, 2), (2, 2, 5, 5, 0, TOP, 3), (2, 2, 5, 5, 0, BELOW, 2)],
        ),
        (
            "= c5 ... s5",
            [
                (1, 1, 5, 5, 0, TOP, 1, 1, 2),
                (0, 3, 0, 0xFFFFFFFF, 0, TOP, 4, 1, 2),
                (2, 2, 5, 5, 0, TOP, 2),
            ],
        ),
        ("= ... c5", [(1, 1, 5, 5, 0, TOP, 3)]),
        ("= ... + c5", [(1, 1, 5, 5, AT, TOP, 3)]),
        ("= < ... ... c5", [(0, 3, 0, 0xFFFFFFFF, 0, TOP, 5, 0, 1), (1, 1, 5, 5, 0, TOP, 3)]),
        ("= (c5|s5)", [(1, 1, 5, 5, 0, TOP, 3), (2, 2, 5, 5, 0, TOP, 3)]),
        ("= c5 + (c6)", [(1, 1, 5, 5, 0, TOP, 1, 1), (2, 1, 6, 6, AT, TOP, 2)]),
    ],
)
def test_positions(sequence: str, expected: list[tuple[int, ...]]) -> None:
    assert columns(f"udp * {sequence} : test") == expected


def test_several_sizes_are_ranges_and_tests() -> None:
    stream = sigdb.loads("udp * = c10-20,15-30,40/0!17-18#a x*!@a/3,5 s9 : a").packets
    assert list(zip(stream.low, stream.high, strict=True)) == [(10, 40), (0, 0xFFFFFFFF), (9, 9)]
    assert list(stream.size_cuts) == [0, 5, 6, 9, 10, 17, 19, 31, 40, 41]
    assert list(stream.range_start) == [0, 3, 5, 5]
    assert list(zip(stream.range_first, stream.range_last, strict=True)) == [(4, 4), (6, 6), (8, 8), (0, 0), (2, 9)]
    assert list(stream.test_start) == [0, 4, 7, 7]
    assert list(stream.test_low) == [10, 15, 40, 17, 0, 0, 5]
    assert list(stream.test_high) == [20, 30, 40, 18, 0xFFFFFFFF, 0xFFFFFFFF, 5]
    assert list(stream.test_excluded) == [0, 0, 0, 1, 0, 1, 1]
    assert list(stream.test_reference) == [0, 0, 0, 0, 0, 1, 0]
    assert list(stream.test_tolerance) == [0, 0, 0, 0, 0, 3, 0]
    assert list(stream.reference) == [0, 0, 0]


def test_a_slot_has_the_sizes_of_all_its_elements() -> None:
    """What a reference may be is as close as what its name may have been bound to before."""
    stream = sigdb.loads("udp * = (c5#a|c9#a) s@a+1/0 c7#a x@a/0 : a").packets
    assert list(stream.slot) == [1, 1, 3, 1, 5]
    assert [(stream.low[p], stream.high[p]) for p in range(5)] == [(5, 5), (9, 9), (6, 10), (7, 7), (5, 9)]
    assert list(stream.range_start) == [0, 0, 0, 2, 2, 5]
    looped = sigdb.loads("udp * = c5#a (s@a+1/0 c7#a){2} : a").packets
    assert (looped.low[1], looped.high[1]) == (1, 0xFFFFFFFF)


def test_an_end_inside_a_group() -> None:
    assert [row[6] for row in columns("udp * = c5 ( s1 | s2 > ) : t")] == [1, 2, 8]
    assert [row[6] for row in columns("udp * = c5 ( s1 | c1{0,1} > ) : t")] == [1 | 8, 2, 8]
    assert [row[6] for row in columns("udp * = ( c5 > | s1 ) ... : t")] == [1 | 8, 1 | 2, 4 | 2]


def test_classes_cut_where_positions_differ() -> None:
    stream = sigdb.loads("udp * = c10-20 + s15- +1s-2s x* : a\nudp * = c20-30 : b").packets
    assert list(stream.size_cuts) == [0, 10, 15, 20, 21, 31]
    assert list(zip(stream.size_first, stream.size_last, strict=True)) == [(1, 3), (2, 5), (0, 5), (3, 4)]
    assert list(stream.pause_cuts) == [0, 22_000, 28_000, 28_101]
    assert list(zip(stream.pause_first, stream.pause_last, strict=True)) == [(0, 3), (1, 3), (2, 2), (0, 3)]


def test_program_arrays_describe_each_signature() -> None:
    program = sigdb.loads(
        "tcp 22 = < c1 c@1 > where bytes > 5 : a\nudp 53-54,60 C1 + C2 : b\n* * c1 where rtt < 1ms : c\n", "x.fp"
    )
    assert [s.id for s in program.signatures] == ["x.line1", "x.line2", "x.line3"]
    assert list(program.stream) == [0, 1, 0]
    assert list(program.begin) == list(program.end) == list(program.references) == [1, 0, 0]
    assert list(program.elements) == [2, 2, 1]
    assert list(program.where_start) == [0, 3, 3, 6]
    assert list(program.where_ops) == [1, 0, 9, 1, 0, 7]
    assert list(program.where_args) == [0, 5, 0, 12, 0.001, 0]
    assert list(program.packets.signature) == [0, 0, 2]
    assert list(program.turns.signature) == [1, 1]


def members(program: sigdb.Program, protocol: int, port: int) -> list[int]:
    number = program.port_class[protocol * 65536 + port]
    return list(program.class_signatures[program.class_start[number] : program.class_start[number + 1]])


def test_port_classes() -> None:
    program = sigdb.loads(
        "tcp 22 c1 : 0\ntcp 20-30,22,65535 c1 : 1\n* * c1 : 2\nudp 0 c1 : 3\nicmp * c1 : 4\n* 22 c1 : 5\n"
    )
    assert len(program.port_class) == 3 * 65536
    assert members(program, 0, 22) == [0, 1, 2, 5]
    assert members(program, 0, 20) == members(program, 0, 30) == members(program, 0, 65535) == [1, 2]
    assert members(program, 0, 31) == members(program, 0, 0) == members(program, 0, 65534) == [2]
    assert members(program, 1, 0) == [2, 3]
    assert members(program, 1, 22) == [2, 5]
    assert members(program, 2, 22) == [2, 4, 5]


def test_empty_database() -> None:
    program = sigdb.loads("# nothing\n\n")
    assert program.signatures == ()
    assert len(program.packets) == len(program.turns) == 0
    assert list(program.packets.size_cuts) == list(program.packets.pause_cuts) == [0]
    assert list(program.packets.follow_start) == [0]
    assert members(program, 0, 80) == []


def test_shared_file_names_make_different_ids(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "My sigs.fp").write_text("tcp * c1 : one\n")
    program = sigdb.load([tmp_path / "a" / "My sigs.fp", tmp_path / "b" / "My sigs.fp"])
    assert [s.id for s in program.signatures] == ["my_sigs.line1", "my_sigs.line1-2"]


def test_threshold_is_a_setting() -> None:
    text = "udp * = c5 c6 : t"
    assert columns(text, threshold_us=100_000)[1][5] == 18_999
    assert columns("udp * = c5 + c6 : t", threshold_us=100_000)[1][4] == 19_000


@pytest.mark.parametrize(
    "options",
    [{"threshold_us": 0}, {"threshold_us": 10**11}, {"fuzz_bytes": -1}, {"fuzz_bytes": 70_000}, {"fuzz_percent": 101}],
)
def test_settings_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        sigdb.loads("tcp * c1 : t", **options)


def test_fuzz_settings_reach_the_automaton() -> None:
    assert columns("udp * c100 : t", fuzz_bytes=1, fuzz_percent=10)[0][2:4] == (90, 110)
    assert columns("udp * c100 : t", fuzzy=False)[0][2:4] == (100, 100)
    program = sigdb.loads("udp * c100 s@1 : t\nudp * c100 s@1/3 : u", fuzzy=True)
    assert list(program.packets.tolerance) == [0, -1, 0, 3]
    assert list(sigdb.loads("udp * c100 s@1 : t", fuzzy=False).packets.tolerance) == [0, 0]
    assert list(sigdb.loads("udp * = c100 s@1+7 : t").packets.plus) == [0, 7]


def test_two_turns_of_a_side_need_a_pause() -> None:
    assert len(sigdb.loads("udp * C1 + C2 : t").turns) == 2
    assert len(sigdb.loads("udp * C1 ... C2 : t").turns) == 3
    with pytest.raises(sigdb.SignatureErrors, match="one turn"):
        sigdb.loads("udp * C1 C2 : t")
