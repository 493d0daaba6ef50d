# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every kind of mistake in a signature file: one line each, with the exact message after the file's name."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sigdb
from sigdb import compile as compile_
from sigdb import ports, reader

# ruff: noqa: E501 - a case is one line, and the whole message stands in it
# fmt: off
MISTAKES: list[tuple[str | bytes, str]] = [
    ('foo * c1 : d', "1:1: unknown protocol 'foo'; expected tcp, udp, icmp or *"),
    ('TCP * c1 : d', "1:1: unknown protocol 'TCP' (did you mean 'tcp'?); expected tcp, udp, icmp or *"),
    ('tpc * c1 : d', "1:1: unknown protocol 'tpc' (did you mean 'tcp'?); expected tcp, udp, icmp or *"),
    ('\u2003', "1:1: unknown protocol '\\u2003'; expected tcp, udp, icmp or *"),
    ('tcp', '1:4: no ports after the protocol; expected *, 22, 22,2222 or 8000-8999'),
    ('tcp 22x c1 : d', "1:5: wrong port '22x'; expected *, 22, 22,2222 or 8000-8999"),
    ('tcp 22, c1 : d', "1:8: wrong port ''; expected *, 22, 22,2222 or 8000-8999"),
    ('tcp 70000 c1 : d', '1:5: the number 70000 is too large; expected at most 65535'),
    ('tcp 30-20 c1 : d', "1:5: the port range '30-20' is empty; expected the smaller port first"),
    ('tcp 20-70000 c1 : d', '1:8: the number 70000 is too large; expected at most 65535'),
    ('tcp -5 c1 : d', "1:5: wrong port '-5'; expected *, 22, 22,2222 or 8000-8999"),
    ('tcp 99999999999999999999999 c1 : d', '1:5: the number 99999999999999999999 is too large; expected at most 65535'),
    ('tcp * : d', '1:6: the end where the sequence is empty; expected an element, for example c48'),
    ('tcp * = : d', '1:8: the end where the sequence is empty; expected an element, for example c48'),
    ('tcp * < > : d', "1:9: '>' where the sequence is empty; expected an element, for example c48"),
    ('tcp * c1', "1:9: the line ends without a description; expected ' : ' and a description"),
    ('tcp * c1 :', "1:11: the description is empty; expected a few words after ':'"),
    ('tcp * c1 :   ', "1:11: the description is empty; expected a few words after ':'"),
    ('tcp * c : d', "1:8: 'c' has no size; expected a size: 48, 48/15, 20-600, 512-, *, @3"),
    ('tcp * c@ : d', "1:9: 'c@' names no element; expected a number or a name after '@', for example c@3 or c@acc"),
    ('tcp * s1 c@1+ : d', "1:14: no number after the sign in 'c@1+'; expected a constant, for example c@3+16"),
    ('tcp * s1 c@1-x : d', "1:14: no number after the sign in 'c@1-x'; expected a constant, for example c@3+16"),
    ('tcp * c5/ : d', "1:10: no tolerance after '/' in 'c5/'; expected a number, for example c48/15"),
    ('tcp * c5-9/2 : d', "1:11: a range has no tolerance; expected 'c5-9/2' without '/'"),
    ('tcp * c*/2 : d', "1:9: any size has no tolerance; expected 'c*/2' without '/'"),
    ('tcp * c-9 : d', "1:8: 'c-9' is a range without a lower bound; expected both bounds, for example c0-600"),
    ('tcp * c5# : d', "1:10: wrong name in 'c5#'; expected a letter or '_' after '#', then letters, digits, '_'"),
    ('tcp * c5#9a : d', "1:10: wrong name in 'c5#9a'; expected a letter or '_' after '#', then letters, digits, '_'"),
    ('tcp * c5#a.b : d', "1:11: wrong name in 'c5#a.b'; expected letters, digits and '_' only"),
    ('tcp * c5+c6 : d', "1:9: no blank before the pause mark or '...' in 'c5+c6'; expected tokens apart"),
    ('tcp * c5...c6 : d', "1:9: no blank before the pause mark or '...' in 'c5...c6'; expected tokens apart"),
    ('tcp * c5k : d', "1:9: 'k' after the size in 'c5k'; expected a plain number of bytes"),
    ('tcp * c5, 6 : d', "1:10: no size after ',' in 'c5,'; expected sizes without blanks, for example c48,72/0"),
    ('tcp * c5,,6 : d', "1:10: no size after ',' in 'c5,,6'; expected sizes without blanks, for example c48,72/0"),
    ('tcp * c5!#a : d', "1:10: no size after '!' in 'c5!#a'; expected sizes without blanks, for example c48,72/0"),
    ('tcp * c20-600!48!64 : d', "1:17: a second '!' in 'c20-600!48!64'; expected it once, for example c20-600!48,64/0"),
    ('tcp * c20-600,48x : d', "1:17: 'x' after the size in 'c48x'; expected a plain number of bytes"),
    ('tcp * c5,6-9/2 : d', "1:13: a range has no tolerance; expected 'c6-9/2' without '/'"),
    ('tcp * c5,6/,7 : d', "1:12: no tolerance after '/' in 'c6/'; expected a number, for example c48/15"),
    ('tcp * c*!@ : d', "1:11: 'c@' names no element; expected a number or a name after '@', for example c@3 or c@acc"),
    ('tcp * c5,6#9 : d', "1:12: wrong name in 'c5,6#9'; expected a letter or '_' after '#', then letters, digits, '_'"),
    ('tcp * c5,60-20 : d', '1:10: the size range 60-20 is empty; expected the smaller size first'),
    ('tcp * c5,99999999999 : d', '1:10: the number 99999999999 is too large; expected at most 4294967295'),
    ('tcp * c1 c5,@1+9,@2 : d', '1:19: element 2 refers to itself; expected an element before it'),
    ('tcp * c1 c5!@4 : d', '1:14: there is no element 4; expected one before it, counted from 1 in the order written'),
    ('tcp * c5,70000 : d', '1:10: no packet is larger than 65535; expected a smaller size'),
    ('tcp * c5!0 : d', '1:10: a tcp packet without payload is never seen; expected a size of at least 1'),
    ('tcp * c5 c7,@1-500 : d', '1:13: the size referred to is always below 1; expected a constant that leaves a size'),
    ('tcp * c20-30,35/0!10-40 : d', '1:7: all sizes of the element are excluded; expected one that is left'),
    ('tcp * (c1#a|c2) s5,@a : d', "1:20: element 3 refers to element 1, which some path leaves out; expected an element that always comes before it"),
    ('tcp * (c1#a|c2#a|s3) s5!@a : d', "1:25: element 4 refers to 'a', which some path leaves out; expected an element that always comes before it"),
    ('tcp * (c1#a|c2#a) s@1 : d', '1:21: element 1 shares its name with others; expected the name, @a'),
    ('tcp * c1 s@a c2#a c3#a : d', '1:12: element 2 refers forward to element 3; expected an element before it'),
    ('tcp * 48 : d', "1:7: '48' has no side; expected c, s or x before a packet's size, C, S or X before a turn's"),
    ('tcp * k48 : d', "1:7: unknown token 'k48'; expected an element, a pause mark, a group, '...' or 'where'"),
    ('tcp * c1 + +2s c2 : d', '1:12: two pause marks in a row; expected one before an element or a group'),
    ('tcp * c1 +2 c2 : d', "1:11: the pause '+2' has no unit; expected us, ms, s, min or h after the number"),
    ('tcp * c1 +2s- c2 : d', "1:14: the pause range '+2s-' has no end; expected +2s for at least, +60ms-2s for between"),
    ('tcp * c1 +2s-3 c2 : d', "1:15: the pause '+2s-3' has no unit; expected us, ms, s, min or h after the number"),
    ('tcp * c1 +2sec c2 : d', "1:12: unknown unit 'sec' in the pause '+2sec'; expected us, ms, s, min or h"),
    ('tcp * c1 +c2 : d', "1:10: no blank after the pause mark in '+c2'; expected tokens apart"),
    ('tcp * c1 +x c2 : d', "1:11: unknown unit 'x' in the pause '+x'; expected us, ms, s, min or h"),
    ('tcp * c1 ~2s c2 : d', "1:10: wrong pause '~2s'; expected ~ alone"),
    ('tcp * c1 .. c2 : d', "1:10: wrong '..'; expected exactly three dots"),
    ('tcp * c1 .... c2 : d', "1:10: wrong '....'; expected exactly three dots"),
    ('tcp * c1 … c2 : d', "1:10: wrong '…'; expected exactly three dots"),
    ('tcp * c1 = c2 : d', "1:10: '=' in the wrong place; expected it once, between the ports and the sequence, with blanks around it"),
    ('tcp * =c1 : d', "1:7: '=' in the wrong place; expected it once, between the ports and the sequence, with blanks around it"),
    ('tcp * c1 #a : d', "1:10: '#a' names nothing; expected the name directly after an element, for example s44#acc"),
    ('tcp * @1 : d', "1:7: '@1' has no side; expected c, s or x before '@'"),
    ('tcp * c1} : d', "1:9: '}' without '{'; expected {n}, {n,m} or {n,} after an element or a group"),
    ('tcp * c1 wher bytes > 1 : d', "1:10: unknown token 'wher' (did you mean 'where'?); expected an element, a pause mark, a group, '...' or 'where'"),
    ('tcp * c1 +2s-1s c2 : d', "1:10: the pause range '2s-1s' is empty; expected the shorter time first"),
    ('tcp * c1 +1.2345s c2 : d', '1:11: the pause falls between two steps of the think time; expected 1.23s or 1.24s'),
    ('tcp * c1 +3h c2 : d', '1:11: the pause is longer than any that is told apart; expected at most 9990s'),
    ('tcp * c1 +0.0005ms c2 : d', '1:11: the time is finer than a microsecond; expected a whole number of microseconds'),
    ('tcp * c1 +1234567890123s c2 : d', "1:11: the time '1234567890123' has too many digits; expected at most 12"),
    ('tcp * c1{ : d', "1:9: wrong repetition '{ '; expected {n}, {n,m} or {n,}"),
    ('tcp * c1{} : d', "1:9: wrong repetition '{}'; expected {n}, {n,m} or {n,}"),
    ('tcp * c1{x} : d', "1:9: wrong repetition '{x}'; expected {n}, {n,m} or {n,}"),
    ('tcp * c1{2 : d', "1:9: wrong repetition '{2 '; expected {n}, {n,m} or {n,}"),
    ('tcp * c1{3,2} : d', "1:9: the repetition '{3,2}' is empty; expected the smaller count first"),
    ('tcp * c1{0} : d', '1:9: what is repeated zero times can never match; expected a count of at least 1'),
    ('tcp * c1{0,0} : d', '1:9: what is repeated zero times can never match; expected a count of at least 1'),
    ('tcp * c1{1001} : d', '1:10: the number 1001 is too large; expected at most 1000'),
    ('tcp * c1{,2} : d', "1:9: wrong repetition '{,2}'; expected {n}, {n,m} or {n,}"),
    ('tcp * c1{2}{3} : d', '1:12: a second repetition; expected a group around the first, for example (c1{2}){3}'),
    ('tcp * {2} : d', '1:7: repetition of nothing; expected it after an element or a group'),
    ('tcp * c1 ...{2} : d', "1:13: repetition of '...'; expected it after an element or a group"),
    ('tcp * c1 +{2} c2 : d', '1:11: repetition of a pause mark; expected it after an element or a group'),
    ('tcp * c600-20 : d', '1:8: the size range 600-20 is empty; expected the smaller size first'),
    ('tcp * c99999999999 : d', '1:8: the number 99999999999 is too large; expected at most 4294967295'),
    ('tcp * c1/99999999999 : d', '1:10: the number 99999999999 is too large; expected at most 4294967295'),
    ('tcp * c70000 : d', '1:7: no packet is larger than 65535; expected a smaller size'),
    ('tcp * c0 : d', '1:7: a tcp packet without payload is never seen; expected a size of at least 1'),
    ('tcp * c0-0 : d', '1:7: a tcp packet without payload is never seen; expected a size of at least 1'),
    ('tcp * C0 : d', '1:7: a tcp turn without payload is never seen; expected a size of at least 1'),
    ('tcp * c1 c@2 : d', '1:12: element 2 refers to itself; expected an element before it'),
    ('tcp * c1 c@3 c2 : d', '1:12: element 2 refers forward to element 3; expected an element before it'),
    ('tcp * c1 c@9 : d', '1:12: there is no element 9; expected one before it, counted from 1 in the order written'),
    ('tcp * c1 c@0 : d', '1:12: there is no element 0; expected one before it, counted from 1 in the order written'),
    ('tcp * c1 c@acc : d', "1:12: no element is named 'acc'; expected a name given with '#' before"),
    ('tcp * c1#acc c@axc : d', "1:16: no element is named 'axc' (did you mean 'acc'?); expected a name given with '#' before"),
    ('tcp * c@b c1#b : d', '1:9: element 1 refers forward to element 2; expected an element before it'),
    ('tcp * c1 c@1x : d', "1:12: wrong reference '@1x'; expected a number or a name, for example @3 or @acc"),
    ('tcp * c1#a c@b#b : d', "1:14: element 2 refers to itself; expected an element before it"),
    ('tcp * (c1|c2) s@2 : d', '1:15: element 3 refers to element 2, which some path leaves out; expected an element that always comes before it'),
    ('tcp * c1{0,2} s1 c@1 : d', '1:18: element 3 refers to element 1, which some path leaves out; expected an element that always comes before it'),
    ('tcp * c5 s@1-500 : d', '1:10: the size referred to is always below 1; expected a constant that leaves a size'),
    ('udp * c5 s@1-500 : d', '1:10: the size referred to is always below 0; expected a constant that leaves a size'),
    ('tcp * c5 s@1+70000 : d', '1:10: the size referred to is always above 65535; expected a smaller constant'),
    ('tcp * c1 S2 : d', "1:10: 'c' (a packet) and 'S' (a turn) in one signature; expected one kind"),
    ('tcp * C1 s2 : d', "1:10: 's' (a packet) and 'C' (a turn) in one signature; expected one kind"),
    ('tcp * (c1 : d', "1:7: '(' is never closed; expected ')'"),
    ('tcp * c1) : d', "1:9: ')' without '('; expected the group to be opened"),
    ('tcp * (c1|) : d', "1:11: ')' where the sequence is empty; expected an element, for example c48"),
    ('tcp * () : d', "1:8: ')' where the sequence is empty; expected an element, for example c48"),
    ('tcp * c1 | c2 : d', "1:10: '|' outside a group; expected the alternatives in parentheses, for example ( c1 | c2 )"),
    ('tcp * (c1 | c2 : d', "1:7: '(' is never closed; expected ')'"),
    ('tcp * (c1 > c2) : d', "1:13: 'c2' after '>' inside a group; expected '|' or ')'"),
    ('tcp * (c1 >{2}) : d', "1:12: '{2}' after '>' inside a group; expected '|' or ')'"),
    ('tcp * (c1 > : d', "1:12: the end after '>' inside a group; expected '|' or ')'"),
    ('tcp * (> c1) : d', "1:10: 'c1' after '>' inside a group; expected '|' or ')'"),
    ('tcp * (c1 >) s2 : d', "1:14: element 2 can never match, something must still match after '>'; expected '>' where the sequence may end"),
    ('tcp * (c1 > | s1) s2 : d', "1:8: element 1 can never match, something must still match after '>'; expected '>' where the sequence may end"),
    ('tcp * (c1 >){2} : d', "1:8: element 1 can never match, something must still match after '>'; expected '>' where the sequence may end"),
    ('tcp * c1 < c2 : d', "1:10: '<' inside the sequence; expected it once, before the first element"),
    ('tcp * (< c1) : d', "1:8: '<' inside the sequence; expected it once, before the first element"),
    ('tcp * c1 > c2 : d', "1:12: 'c2' after '>'; expected 'where' or ' : ' and a description"),
    ('tcp * c1 > > : d', "1:12: '>' after '>'; expected 'where' or ' : ' and a description"),
    ('tcp * c1 + : d', '1:10: a pause mark with nothing after it; expected an element or a group'),
    ('tcp * (c1 +) s1 : d', '1:11: a pause mark with nothing after it; expected an element or a group'),
    ('tcp * c1 + > : d', '1:10: a pause mark with nothing after it; expected an element or a group'),
    ('tcp * c1 + ... c2 : d', "1:10: a pause mark before '...'; expected none, '...' takes any pauses"),
    ('tcp * ... : d', '1:7: the sequence can match without any packet; expected at least one element that must occur'),
    ('tcp * c1{0,} : d', '1:7: the sequence can match without any packet; expected at least one element that must occur'),
    ('udp * < + c1 : d', '1:11: element 1 can never match, there is no pause before the first datagram of a flow; expected a pause that can occur'),
    ('udp * < (+2s c1 | s1) : d', '1:14: element 1 can never match, there is no pause before the first datagram of a flow; expected a pause that can occur'),
    ('tcp * c1 +2s (+0us-1s c2) : d', '1:23: element 2 can never match, the pause marks before it exclude one another; expected a pause that can occur'),
    ('tcp * C1 C2 : d', '1:10: element 2 can never match, packets of one side without a pause between them are one turn; expected a pause that can occur'),
    ('tcp * (((((((((((((((((((((((((((((((((c1))))))))))))))))))))))))))))))))) : d', '1:39: groups are nested too deeply; expected at most 32 levels'),
    ('tcp * (c1{1000}){1000} : d', '1:7: the signature is too large; expected at most 4096 positions (elements times repetitions)'),
    ('tcp * ((c1{0,1} s1{0,1}){0,1}){500} c5 : d', '1:7: the signature is too large; expected at most 65536 steps from position to position'),
    ('tcp * c1 where : d', "1:15: the end in a condition; expected a number, a variable or '('"),
    ('tcp * c1 where bytes : d', '1:16: the condition is a number; expected a comparison, for example bytes > 10k'),
    ('tcp * c1 where byts > 1 : d', "1:16: unknown variable 'byts' (did you mean 'bytes'?); expected bytes, packets, turns, duration or rtt, for one side with c. or s. before it"),
    ('tcp * c1 where bytes > : d', "1:23: the end in a condition; expected a number, a variable or '('"),
    ('tcp * c1 where bytes > 1x : d', "1:25: unknown unit 'x'; expected B, k, M, G, us, ms, s, min or h"),
    ('tcp * c1 where bytes = 1 : d', "1:22: '=' does not compare; expected '=='"),
    ('tcp * c1 where 1 < bytes < 5 : d', "1:26: '<' after a comparison; expected 'and' between two comparisons"),
    ('tcp * c1 where (bytes > 1 : d', "1:26: the end inside parentheses; expected ')'"),
    ('tcp * c1 where bytes > 1) : d', "1:25: ')' after the condition; expected 'and', 'or' or ' : ' and a description"),
    ('tcp * c1 where not bytes : d', "1:20: a number where 'not' needs a truth; expected a comparison, for example bytes > 10k"),
    ('tcp * c1 where bytes and turns > 1 : d', "1:16: a number where 'and' needs a truth; expected a comparison, for example bytes > 10k"),
    ('tcp * c1 where (bytes > 1) + 2 > 1 : d', "1:16: a comparison where '+' needs a number; expected a number or a variable"),
    ('tcp * c1 where bytes > 1 or : d', "1:28: the end in a condition; expected a number, a variable or '('"),
    ('tcp * c1 where bytes % 2 == 0 : d', "1:22: '%' has no meaning in a condition; expected a comparison"),
    ('tcp * c1 where (((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))) > 0 : d', '1:48: the condition is nested too deeply; expected at most 32 levels'),
    ('tcp * c1 where bytes > 123456789012345678901 : d', '1:24: the number has too many digits; expected at most 20 characters'),
    ('tcp * c1 where bytes > 1 bytes : d', "1:26: 'bytes' after the condition; expected 'and', 'or' or ' : ' and a description"),
    ('tcp * c1 where c.foo > 1 : d', "1:16: unknown variable 'c.foo'; expected bytes, packets, turns, duration or rtt, for one side with c. or s. before it"),
    ('tcp * c1 where c.rtt > 1 and > 2 : d', "1:30: '>' in a condition; expected a number, a variable or '('"),
    ('    id = x', '1:5: an attribute before any signature; expected a line that begins with a protocol'),
    ('tcp * c1 : d\n  foo = x', "2:3: unknown attribute 'foo'; expected id, severity, attack, category, rev, reference, note, confidence, threshold, suppress"),
    ('tcp * c1 : d\n  severty = x', "2:3: unknown attribute 'severty' (did you mean 'severity'?); expected id, severity, attack, category, rev, reference, note, confidence, threshold, suppress"),
    ('tcp * c1 : d\n  id', "2:5: no '=' after 'id'; expected id = value"),
    ('tcp * c1 : d\n  id =', "2:7: the attribute 'id' has no value; expected id = value"),
    ('tcp * c1 : d\n  = x', "2:3: '=' without a name; expected an attribute, for example severity = medium"),
    ('tcp * c1 : d\n  id = a\n  id = b', "3:3: the attribute 'id' is given twice; expected it once for a signature"),
    ('tcp * c1 : d\n  id = Foo', "2:8: wrong id 'Foo'; expected lower-case words joined by dots, for example ssh.auth.failure"),
    ('tcp * c1 : d\n  id = a..b', "2:8: wrong id 'a..b'; expected lower-case words joined by dots, for example ssh.auth.failure"),
    ('tcp * c1 : d\n  severity = hi', "2:14: wrong severity 'hi' (did you mean 'high'?); expected low, medium, high, critical or 1 to 4"),
    ('tcp * c1 : d\n  severity = 5', "2:14: wrong severity '5'; expected low, medium, high, critical or 1 to 4"),
    ('tcp * c1 : d\n  attack = T1, T1021', "2:12: wrong technique 'T1'; expected ATT&CK ids, for example T1110.001, T1021"),
    ('tcp * c1 : d\n  attack = T1021,X', "2:18: wrong technique 'X'; expected ATT&CK ids, for example T1110.001, T1021"),
    ('tcp * c1 : d\n  rev = -1', "2:9: wrong revision '-1'; expected a number, for example 1"),
    ('tcp * c1 : d\n  rev = 99999999999', '2:9: the number 99999999999 is too large; expected at most 2147483647'),
    ('tcp * c1 : d\n id = a\ntcp * c2 : e\n id = a', "4:7: the id 'a' is taken by f:2; expected another id"),
    (b'tcp * c1 : \xff', '1:12: the byte 0xff is not UTF-8; expected UTF-8 text'),
    ('tcp * c\x001 : d', '1:8: the control character 0x00; expected printable text'),
    ('tcp * c1 : a\rb', '1:13: the control character 0x0d; expected printable text'),
    ("tcp * " + "(" * 33 + "c1" + ")" * 33 + " : d", "1:39: groups are nested too deeply; expected at most 32 levels"),
    ("tcp * " + "c1 " * 4096 + ": d", "1:12292: too many elements; expected at most 4095"),
    ("tcp * c1 where " + "(" * 33 + "1" + ")" * 33 + " > 0 : d", "1:48: the condition is nested too deeply; expected at most 32 levels"),
    ("tcp * c1 where bytes > 2s : d", "1:24: a time where '>' has a size or a number before it; expected a size or a number"),
    ("tcp * c1 where c.duration + 3 < 1M : d", "1:33: a size or a number where '<' has a time before it; expected a time"),
    ("tcp * c1 where 1 < (rtt - packets) : d", "1:27: a size or a number where '-' has a time before it; expected a time"),
    ("tcp * c1 where " + "1+" * 200 + "1 > 0 : d", "1:273: the condition is too long; expected at most 256 operations"),
    ("tcp * c1 : " + "x" * 70_000, "1:65537: the line has 70011 characters; expected at most 65536"),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_mistake(text: str | bytes, expected: str) -> None:
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.loads(text, "f")
    assert str(caught.value) == f"f:{expected}"


def test_messages_have_one_style() -> None:
    assert len({re.sub(r"'[^']*'|[0-9]+", "", message) for _, message in MISTAKES}) > 60
    for _, message in MISTAKES:
        assert re.fullmatch(r"[0-9]+:[0-9]+: [^;]+; expected .*[^.]", message)


def errors(text: str | bytes) -> list[str]:
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.loads(text, "f")
    return [str(error) for error in caught.value.errors]


def test_all_mistakes_are_reported_in_order() -> None:
    text = "tcp * c : a\n  foo = 1\nudp * c1 : fine\n  rev = x\n  severity = 9\nudp * < + c1 : b\nnonsense\n"
    assert [error.split(" ")[0] for error in errors(text)] == [
        "f:1:8:",
        "f:2:3:",
        "f:4:9:",
        "f:5:14:",
        "f:6:11:",
        "f:7:1:",
    ]


def test_mistakes_are_counted_only_up_to_a_bound() -> None:
    found = errors("x\n" * 5000)
    assert len(found) == reader.MAX_ERRORS + 1
    assert found[0] == "f: more than 1000 mistakes; expected a file of signatures"


def test_wrong_bytes_are_placed_in_characters() -> None:
    text = "tcp * c1 : \u00e9\u00e9".encode() + b"\xff\ntcp * c1 : ok\n\xc3\n"
    assert errors(text) == [
        "f:1:14: the byte 0xff is not UTF-8; expected UTF-8 text",
        "f:3:1: the byte 0xc3 is not UTF-8; expected UTF-8 text",
    ]


def test_columns_do_not_count_a_byte_order_mark() -> None:
    assert errors(b"\xef\xbb\xbffoo * c1 : d")[0].startswith("f:1:1: unknown protocol 'foo'")


def test_large_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_FILE", 20)
    assert errors("tcp * c1 : d\n" * 2) == ["f: the file has 26 bytes; expected at most 20"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    good = tmp_path / "good.fp"
    good.write_text("tcp * c1 : d\n")
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.load([good, tmp_path / "none.fp", tmp_path])
    assert [str(error) for error in caught.value.errors] == [
        f"{tmp_path}/none.fp: cannot be read (No such file or directory); expected a file of signatures",
        f"{tmp_path}: cannot be read (Is a directory); expected a file of signatures",
    ]


def test_ids_are_unique_over_files(tmp_path: Path) -> None:
    for name in ("a.fp", "b.fp"):
        (tmp_path / name).write_text("# head\ntcp * c1 : d\n    severity = low\n    id = x.y\n")
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.load([tmp_path / "a.fp", tmp_path / "b.fp"])
    assert str(caught.value) == (
        f"{tmp_path}/b.fp:4:10: the id 'x.y' is taken by {tmp_path}/a.fp:4; expected another id"
    )


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert errors("\u202efoo\u200b * c1 : d") == [
        "f:1:1: unknown protocol '\\u202efoo\\u200b'; expected tcp, udp, icmp or *"
    ]


TOKENS = (
    "tcp * ", "udp 1-2 ", "= ", "< ", "> ", ": d", "\n", "\n  ", "id = a", "rev = 1", "where ", "c1 ", "s9/4 ", "X* ",
    "c@1 ", "s@a-1 ", "#a ", "+ ", "~ ", "+2s ", "... ", "(", "|", ")", "{2}", "{0,}", "let A = ", "$A ", "let A(x) = ", "$A(", ", ", "$x ", "c$x+1 ", ",7/0", "!@a+2", "#b", "c@b ", "bytes ", "> 1k ", "not ", "and ",
    "(", "\x00", "\u00e9", "\ufeff", "# ", "*", "-", "99999999999", "/",
)  # fmt: skip


@given(
    st.one_of(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join), st.text(max_size=40), st.binary(max_size=40))
)
def test_any_text_loads_or_has_mistakes(text: str | bytes) -> None:
    try:
        sigdb.loads(text, "f")
    except sigdb.SignatureErrors as wrong:
        assert wrong.errors
        for error in wrong.errors:
            assert error.line >= 1
            assert error.column >= 1
            assert "; expected " in error.message


def test_compilation_is_bounded() -> None:
    """Small texts that unroll to much: each ends in an error that names a limit, not in a long wait."""
    for sequence in (
        "((((c1{0,}){0,}){0,}){0,}){0,1000} s1",
        "((((c1{0,1000}){0,1000}){0,1000}){0,1000}){0,1000} s1",
        "(c1{0,1} + s1{0,1} ~ c2{0,1}){0,1000} s1",
    ):
        assert "expected at most" in errors(f"udp * {sequence} : d")[0]
    assert len(sigdb.loads("udp * " + "(" * 32 + "c1" + "{0,} + s1 | c2)" * 32 + " s1 : d").packets) == 98


@pytest.mark.parametrize(
    ("module", "name", "limit"),
    [
        (compile_, "MAX_POSITIONS", "5 positions"),
        (compile_, "MAX_SIZE_CLASSES", "5 different bounds of sizes"),
        (ports, "MAX_CLASSES", "5 different sets of signatures by port"),
        (ports, "MAX_MEMBERS", "5 signatures in different sets by port"),
    ],
)
def test_limits_of_the_whole_database(monkeypatch: pytest.MonkeyPatch, module: object, name: str, limit: str) -> None:
    monkeypatch.setattr(module, name, 5)
    text = "".join(f"tcp {port} = c{port} c1 : d\n" for port in range(10, 20))
    assert [error.split(": ", 1)[1] for error in errors(text)] == [
        f"the database is too large; expected at most {limit} in all"
    ]
