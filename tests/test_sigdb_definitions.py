# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions, with and without arguments: they compile to what is written by hand in their places; their mistakes."""

import re
from random import Random

import pytest

import sigdb
from sigdb import expand
from tests import signatures

# ruff: noqa: E501 - a case is one line, and the whole message stands in it
# fmt: off
MISTAKES: list[tuple[str, str]] = [
    ('let', "1:4: no name after 'let'; expected let NAME = sequence"),
    ('let = c1', "1:4: no name after 'let'; expected let NAME = sequence"),
    ('let 9A = c1', "1:5: wrong name '9A' of a definition; expected letters, digits and '_', no digit first"),
    ('let A c1', "1:6: no '=' after 'A'; expected let A = sequence"),
    ('let A =', '1:8: the end where the sequence is empty; expected an element, for example c48'),
    ('let A = c1\nlet A = c2', "2:5: the name 'A' is defined in line 1 already; expected another name"),
    ('let A = c1 : d', "1:12: ':' in a definition; expected its sequence alone, without description"),
    ('let A = < c1', "1:9: '<' in a definition; expected it in the signature that uses it"),
    ('let A = c1 where bytes > 1', "1:12: 'where' in a definition; expected it in the signature that uses it"),
    ('let A = c1 > s1', "1:14: 's1' after '>'; expected nothing"),
    ('let A = c1 S2', "1:12: 'c' (a packet) and 'S' (a turn) in one signature; expected one kind"),
    ('let A = c1 s@1', "1:14: the number '@1' in a definition; expected a name, for example s44#acc and c@acc"),
    ('let A = c1 | c2', "1:12: '|' outside a group; expected the alternatives in parentheses, for example ( c1 | c2 )"),
    ('let A = c1 + $A', "1:14: the definition of 'A' uses itself; expected other definitions only"),
    ('let A = c1\n    id = x', '2:5: an attribute below a definition; expected it below a signature'),
    ('let A = c9-1\nlet B = $A c1\ntcp * $B $A : d', '1:10: the size range 9-1 is empty; expected the smaller size first'),
    ('let A = $B\nlet B = c1 $A', "1:9: '$B' is defined below, in line 2; expected its definition above the line that uses it"),
    ('tcp * $KEX : d', "1:7: nothing is defined as 'KEX'; expected a line let KEX = sequence above, in this file or in one that it includes"),
    ('let KEX = c1\ntcp * c1 $KXE : d', "2:10: nothing is defined as 'KXE' (did you mean 'KEX'?); expected a line let KXE = sequence above, in this file or in one that it includes"),
    ('tcp * $ : d', "1:8: '$' names no definition; expected a name after '$', for example $KEX"),
    ('tcp * $A+2s c1 : d', "1:7: wrong name in '$A+2s'; expected letters, digits and '_' after '$', and a blank after them"),
    ('tcp * $5 : d', "1:7: wrong name in '$5'; expected letters, digits and '_' after '$', and a blank after them"),
    ('let A = s5\ntcp * c1 $A c@1 : d', "2:15: the number '@1' in a line that uses definitions; expected a name, for example s44#acc and c@acc"),
    ('let A = s5 S9{2}', "1:12: 's' (a packet) and 'S' (a turn) in one signature; expected one kind"),
    ('let A = s5 c6\ntcp * C1 $A : d', "2:10: in $A (line 1, column 9) 's' (a packet) and 'C' (a turn) in one signature; expected one kind"),
    ('let A = c0 s1\nudp * $A : d\ntcp * $A : d', '3:7: in $A (line 1, column 9) a tcp packet without payload is never seen; expected a size of at least 1'),
    ('let A = c1 s7,@X+2/0\nlet B = s1 $A\ntcp * c5#X $B : d\ntcp * c5 $B : d', "4:10: in $A (line 1, column 16) no element is named 'X'; expected a name given with '#' before"),
    ('let A = c1 s@X\ntcp * c5#X{0,1} $A : d', "2:17: in $A (line 1, column 12) element 3 refers to element 1, which some path leaves out; expected an element that always comes before it"),
    ('let A = c1\nudp * < + $A : d', '2:11: in $A (line 1, column 9) element 1 can never match, there is no pause before the first datagram of a flow; expected a pause that can occur'),
    ('let A0 = c1\n' + ''.join(f'let A{n} = $A{n - 1}\n' for n in range(1, 34)) + 'tcp * $A33 : d', '35:7: in $A2 (line 3, column 10) groups are nested too deeply; expected at most 32 levels'),
    ('let A( = c1', "1:6: '(' is never closed; expected let A(x, y) = sequence"),
    ('let A(x y) = c1', "1:7: wrong name 'x y' of a parameter; expected letters, digits and '_', no digit first"),
    ('let A() = c1', "1:7: no name of a parameter; expected letters, digits and '_', no digit first"),
    ('let A(x, ) = c$x', "1:10: no name of a parameter; expected letters, digits and '_', no digit first"),
    ('let A(x,x) = c$x', "1:9: the parameter 'x' is given twice; expected different names"),
    ('let X = c1\nlet A(X) = c$X', "2:7: the parameter 'X' has the name of the definition in line 1; expected another name"),
    ('let A(' + ', '.join(f'p{n}' for n in range(17)) + ') = c$p0', '1:77: too many parameters; expected at most 16'),
    ('let A(x) c$x', "1:9: no '=' after 'A'; expected let A(x, y) = sequence"),
    ('let A(x, i) = c$x', "1:10: the parameter 'i' is not used; expected '$i' in the sequence"),
    ('let A(x) = c$x $y', "1:16: nothing is defined as 'y'; expected a line let y = sequence above, in this file or in one that it includes, or a parameter: x"),
    ('let A(x) = c$x,$y', "1:16: '$y' for a size is unknown; expected a parameter of this definition: $x"),
    ('let A(x) = c$x $A(5)', "1:16: the definition of 'A' uses itself; expected other definitions only"),
    ('let A(x) = c$x $x(5)', "1:18: the parameter '$x' with '(' behind it; expected a blank before a group"),
    ('let A(x) = $x {2} {3}', "1:19: a second repetition; expected a group around the first, for example (c1{2}){3}"),
    ('tcp * c$x : d', "1:8: '$x' for a size is unknown; expected it in a definition with parameters"),
    ('let X = c1\ntcp * c$X : d', "2:8: '$X' for a size is a definition; expected it in a definition with parameters"),
    ('let A(x) = c$x/', "1:13: wrong use of a parameter in 'c$x/'; expected it where a number stands, for example c$n, c$n+58, c@a-$n"),
    ('let A(x) = $x s5\ntcp * $A : d', "2:7: 0 arguments for '$A'; expected 1, as in $A(x), separated by a comma and a blank"),
    ('let A(x, y) = $x $y s5\ntcp * $A(c1) : d', "2:7: 1 argument for '$A'; expected 2, as in $A(x, y), separated by a comma and a blank"),
    ('let A(x, y) = c$x,$y\ntcp * $A(1,2) : d', "2:7: 1 argument for '$A'; expected 2, as in $A(x, y), separated by a comma and a blank"),
    ('let A = c5\ntcp * $A(c1) : d', "2:9: '$A' has no parameters; expected no '(', or a blank before a group"),
    ('let A(x) = $x s5\ntcp * $A(c1 : d', "2:7: the arguments of '$A' are never closed; expected ')'"),
    ('let A(x) = $x s5\ntcp * $A(c1 | c2) : d', "2:13: '|' between arguments; expected the alternatives in parentheses"),
    ('let A(x) = $x s5\ntcp * $A(( c1, c2 )) : d', "2:14: ',' inside a group; expected it between arguments only"),
    ('let A(x, y) = $x $y s5\ntcp * $A(~ $A(+,~), c1) : d', "2:16: no blank after ',' in '+,~'; expected a comma and a blank between arguments"),
    ('let A(x) = $x s5\ntcp * $A(5 c1) : d', "2:10: '5' beside other things in an argument; expected a size alone, or an element"),
    ('let A(x) = $x s5\ntcp * $A(c1 c9-3) : d', '2:14: the size range 9-3 is empty; expected the smaller size first'),
    ('let A(x) = $x s5\ntcp * $A(5) : d', "2:7: in $A (line 1, column 12) the argument '5' of '$x' is a size; expected elements or a pause mark, as the parameter does not stand inside an element"),
    ('let A(x) = s$x\ntcp * c5 $A(c1) : d', "2:10: in $A (line 1, column 13) the argument of '$x' is no size; expected one, for example 22, or @A,@A+8/0"),
    ('let A(x) = s5 c$x+1\ntcp * $A(5-7) : d', "2:7: in $A (line 1, column 16) the argument '5-7' of '$x' is no number; expected one, for example 22"),
    ('let A(x) = s5 c7,$x-9\ntcp * $A(5) : d', "2:7: in $A (line 1, column 18) '$x-9' is -4; expected a number of at least 0"),
    ('let A(x) = s5 c$x-9-$x\ntcp * $A(8) : d', "2:7: in $A (line 1, column 16) '$x-9' is -1; expected a number of at least 0"),
    ('let A(x) = s5 c9-$x\ntcp * $A(8) : d', "2:7: in $A (line 1, column 16) '9-$x' is '9-8', the size range 9-8 is empty; expected the smaller size first"),
    ('let A(x) = s5 c$x+9\ntcp * $A(4294967290) : d', "2:7: in $A (line 1, column 16) '$x+9' is '4294967299', the number 4294967299 is too large; expected at most 4294967295"),
    ('let A(x) = s5 c$x+9\ntcp * $A(65527) : d', '2:7: in $A (line 1, column 15) no packet is larger than 65535; expected a smaller size'),
    ('let A(x) = s5#a c@a-$x\ntcp * = $A(5) : d', '2:9: in $A (line 1, column 17) the size referred to is always below 1; expected a constant that leaves a size'),
    ('let A(x) = s5 c$x\ntcp * $A(@b) : d', "2:7: in $A (line 1, column 17) no element is named 'b'; expected a name given with '#' before"),
    ('let A(x) = $x ~ s5\nlet B = c1\ntcp * $B $A(~ $C) : d', "3:15: nothing is defined as 'C'; expected a line let C = sequence above, in this file or in one that it includes"),
    ('let A(x) = s5 ( $x | c2 )\ntcp * $A() : d', "2:7: in $A (line 1, column 17) the argument of '$x' leaves the sequence empty; expected an element there"),
    ('let A(x) = s5 ~ $x\ntcp * $A() : d', "2:7: in $A (line 1, column 17) the argument of '$x' leaves a pause mark with no element behind it; expected an element there"),
    ('let A(x) = s5 $x ...\ntcp * $A(+) : d', "2:7: in $A (line 1, column 15) the argument of '$x' leaves a pause mark with no element behind it; expected an element there"),
    ('let A(x) = s5 $x{2}\ntcp * $A(+) : d', "2:7: in $A (line 1, column 15) the argument of '$x' leaves a pause mark with no element behind it; expected an element there"),
    ('let A(x) = s5 $x\ntcp * $A(S5) : d', "2:10: 's' (a packet) and 'S' (a turn) in one signature; expected one kind"),
    ('let A(x) = s5 $x\ntcp * $A(c5 c@1) : d', "2:15: the number '@1' in a line that uses definitions; expected a name, for example s44#acc and c@acc"),
    ('include', '1:8: no file name in quotes after \'include\'; expected include "NAME.fp"'),
    ('include a.fp', '1:8: no file name in quotes after \'include\'; expected include "NAME.fp"'),
    ('include "../a.fp"', "1:10: wrong file name '../a.fp'; expected a name alone, of a file in the same folder or a shipped one"),
    ('include "no.fp"', "1:10: there is no file 'no.fp'; expected one in the folder of this file, or a shipped one"),
    ('include "fl0p.fp"\n    id = x', "2:5: an attribute below a line 'include'; expected it below a signature"),
    ('let A = ' + 'c1 ' * 2100 + '\ntcp * $A $A : d', '2:10: in $A (line 1, column 5994) too many elements; expected at most 4095'),
    ('let A = ' + '... ' * 6000 + 'c1\ntcp * $A $A $A : d', '2:13: the line is too long with its definitions put in; expected at most 16384 tokens'),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_mistake(text: str, expected: str) -> None:
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.loads(text, "f")
    assert str(caught.value) == f"f:{expected}"
    assert re.fullmatch(r"[0-9]+:[0-9]+: [^;]+; expected .*[^.]", expected)


def test_what_definitions_put_in_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expand, "MAX_INSERTED", 5)
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.loads("let A = c1 c2\ntcp * $A : d\ntcp * $A : e\ntcp * $A : f\n", "f")
    assert [str(error) for error in caught.value.errors] == [
        "f:4:7: the file is too long with its definitions put in; expected at most 5 tokens"
    ]


@pytest.mark.parametrize("seed", range(3))
def test_definitions_are_what_they_stand_for(seed: int) -> None:
    """A line with definitions compiles to the arrays of the line with groups in their places."""
    random = Random(seed)
    compiled = 0
    while compiled < 100:
        name, *more = (signatures.sequence(random) for _ in range(3))
        inner = f"{more[0]} $A {more[1]}"
        outer = f"({name} | $B{{1,2}}) + $B"
        text = outer.replace("$B", f"({inner})").replace("$A", f"({name})")
        try:
            plain = sigdb.loads(f"udp * {text} : d")
        except sigdb.SignatureErrors:
            continue
        if re.search("@[0-9]", text):
            continue
        compiled += 1
        defined = sigdb.loads(f"let A = {name}\nlet B = {inner}\nudp * {outer} : d")
        assert (defined.packets, defined.turns) == (plain.packets, plain.turns)


PARAMETERS = """
let GO = c9
let I(i) = $i ~ s5
let P(p, i) = $p $i ~ s5
let N(n) = c$n,$n+58,$n-2 s$n/4 c10-$n s$n+0-600 c$n- s$n-$n+5 s40-100#A
let R(n) = s70#A c@A+$n,@A-$n/0 s@A+$n+3/$n c@A-$n-2!$n-1,@A-$n
let S(s) = s40-100#A c$s,7/0 s9-!$s
let Q(n, i) = $N($n+7) $I($i) $I(~ $I($i))
"""


@pytest.mark.parametrize(
    ("sequence", "written"),
    [
        ("$I(c1)", "( c1 ~ s5 )"),
        ("$I(~ $GO{2})", "( ~ ( c9 ){2} ~ s5 )"),
        ("c1 $I() c2", "c1 ( ~ s5 ) c2"),
        ("c1 $I( ){2}", "c1 ( ~ s5 ){2}"),
        ("$I(( c1|c2{2} ){0,3})", "( ( c1|c2{2} ){0,3} ~ s5 )"),
        ("c1 $I(+2s)", "c1 ( +2s s5 )"),
        ("c1 $I(c3,4!9 ~)", "c1 ( c3,4!9 ~ s5 )"),
        ("c1 $I(... c2 ...)", "c1 ( ... c2 ... ~ s5 )"),
        ("c1 ( c2 | $I(( c5 | > )) )", "c1 ( c2 | ( ( c5 | > ) ~ s5 ) )"),
        ("c1 $P(+60ms-2s, )", "c1 ( +60ms-2s s5 )"),
        ("c1 $P(+60ms-2s, ~ c7)", "c1 ( +60ms-2s c7 ~ s5 )"),
        ("c1 $P(+60ms-2s, +1s)", "c1 ( +1s-2s s5 )"),
        ("c1 $P(,)", "c1 ( ~ s5 )"),
        ("c1 $P(,c2)", "c1 ( c2 ~ s5 )"),
        ("$N(20)", "( c20,78,18 s20/4 c10-20 s20-600 c20- s20-25 s40-100#A )"),
        ("$R(20)", "( s70#A c@A+20,@A-20/0 s@A+23/20 c@A-22!19,@A-20 )"),
        ("$S(@A,@A+8/0)", "( s40-100#A c@A,@A+8/0,7/0 s9-!@A,@A+8/0 )"),
        ("$S(22)", "( s40-100#A c22,7/0 s9-!22 )"),
        ("$S(20-30) c1", "( s40-100#A c20-30,7/0 s9-!20-30 ) c1"),
        ("$Q(15, )", "( ( c22,80,20 s22/4 c10-22 s22-600 c22- s22-27 s40-100#A ) ( ~ s5 ) ( ~ ( ~ s5 ) ~ s5 ) )"),
        ("$I($P(+, c2))", "( ( + c2 ~ s5 ) ~ s5 )"),
    ],
)
def test_arguments_are_put_in(sequence: str, written: str) -> None:
    given = sigdb.loads(f"{PARAMETERS}udp * {sequence} : d")
    plain = sigdb.loads(f"udp * {written} : d")
    assert (given.packets, given.turns) == (plain.packets, plain.turns)


@pytest.mark.parametrize("seed", range(3))
def test_arguments_are_what_is_written(seed: int) -> None:
    """A definition with random arguments compiles to the arrays of the line with their text in their places."""
    random = Random(seed)
    compiled = 0
    while compiled < 100:
        first, second, *more = (signatures.sequence(random) for _ in range(4))
        first, second = (random.choice((one, one, one, "", "+2s", "~")) for one in (first, second))
        number, less = random.randrange(5, 30), random.randrange(5)

        def hide(match: re.Match[str], number: int = number) -> str:
            return match[1] + "$n" + (f"{int(match[2]) - number:+d}" if int(match[2]) != number else "")

        body = f"c3 {more[0]} $a {more[1]} ( $a s1 | $b $a s2 )"
        plain = f"udp * ( {body.replace('$a', first).replace('$b', second)} ) : d"
        hidden = re.sub(r"((?<![0-9A-Za-z])[csx])([0-9]{2,})(?![0-9-])", hide, body)
        if "$n" not in hidden or re.search("@[0-9]", plain):
            continue
        lets = f"let A(a, n, b) = {hidden}\nlet B(x, y) = $A($x, $y+{less}, {second})\n"
        try:
            written = sigdb.loads(plain)
        except sigdb.SignatureErrors:
            continue
        compiled += 1
        for use in (f"$A({first}, {number}, {second})", f"$B({first}, {number - less})"):
            assert sigdb.loads(f"{lets}udp * {use} : d").packets == written.packets
