# SPDX-License-Identifier: LGPL-2.1-or-later
"""Databases of TCP fingerprints: what is read, and what is reported."""

from pathlib import Path

import pytest

import sigdb
from engine.fingerprints import Flag
from sigdb.tcp_nodes import ANY, QUIRK, Window

HEAD = "classes = win,unix,other\n[tcp:request]\nlabel = s:unix:Linux:3.x\n"
SIG = "*:64:0:*:mss*10,4:mss,sok,ts,nop,ws:df,id+:0"


def only(text: str) -> sigdb.TcpSignature:
    (signature,) = sigdb.loads_tcp(HEAD + f"sig = {text}\n").signatures
    return signature


def test_signature():
    s = only(SIG)
    assert (s.version, s.ttl, s.bad_ttl, s.olen, s.mss, s.scale, s.payload) == (ANY, 64, False, 0, ANY, 4, 0)
    assert (s.window_kind, s.window) == (Window.MSS, 10)
    assert s.layout == bytes((2, 4, 8, 1, 3))
    assert s.quirks == QUIRK["df"] | QUIRK["id+"]
    assert (str(s.label), s.label.system, s.label.role) == ("s:unix:Linux:3.x", "Linux 3.x", "")
    assert (s.file, s.line, s.text, s.response) == ("text", 4, SIG, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SIG.replace("64", "54+10"), {"ttl": 64}),
        (SIG.replace("64", "64-"), {"ttl": 64, "bad_ttl": True}),
        (SIG.replace("mss*10", "mtu*4"), {"window_kind": Window.MTU, "window": 4}),
        (SIG.replace("mss*10", "%8192"), {"window_kind": Window.MODULO, "window": 8192}),
        (SIG.replace("mss*10", "*"), {"window_kind": Window.ANY}),
        (SIG.replace("mss*10", "0"), {"window_kind": Window.VALUE, "window": 0}),
        ("4:64:0:0:512,0:::0", {"layout": b"", "quirks": 0, "version": 4, "mss": 0}),
        ("6:64:8:1440:5,*:mss,?30,eol+3:flow,bad:+", {"layout": b"\2\x1e\0", "eol_pad": 3, "olen": 8, "payload": 1}),
    ],
)
def test_fields(text, expected):
    signature = only(text)
    assert {name: getattr(signature, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("5" + SIG[1:], 7, "IP version '5', expected 4, 6 or *"),
        (SIG + ":0", 7, "9 fields parted by colons, expected 8"),
        (SIG.replace("64", "0"), 9, "initial TTL '0', expected a number from 1 to 255"),
        (SIG.replace("64", "200+56"), 13, "distance '56', expected a number from 0 to 55"),
        (SIG.replace("64", "50+?"), 12, "expected the initial TTL"),
        (SIG.replace(":0:*:", ":256:*:"), 12, "length of IP options '256'"),
        (SIG.replace(":*:mss", ":x:mss"), 14, "MSS 'x', expected a number from 0 to 65535, or *"),
        (SIG.replace("mss*10,4", "mss*10"), 16, "window 'mss*10', expected size,scale"),
        (SIG.replace("mss*10", "mss*0"), 20, "multiple of the window '0'"),
        (SIG.replace("mss*10", "ms*10"), 16, "window 'ms*10', expected a number, *, %n, mss*n or mtu*n"),
        (SIG.replace(",4:", ",256:"), 23, "window scale '256'"),
        (SIG.replace("nop", "nopp"), 36, "option 'nopp', expected one of"),
        (SIG.replace("nop,ws", "eol+1,ws"), 36, "eol before another option"),
        (SIG.replace("nop", "?300"), 37, "kind of option '300'"),
        (SIG.replace("df", "dff"), 43, "quirk 'dff', expected one of"),
        ("6" + SIG[1:], 43, "quirk 'df', which IPv6 does not have"),
        (SIG[:-1] + "1", 50, "payload class '1', expected 0, + or *"),
        (SIG.replace("nop", ",".join(["nop"] * 21)), 25, "25 TCP options, expected at most 24"),
    ],
)
def test_signature_errors(text, column, message):
    with pytest.raises(sigdb.SignatureErrors) as caught:
        only(text)
    (error,) = caught.value.errors
    assert (error.line, error.column) == (4, column)
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("label = s:unix:Linux:x\n", "1:1", "key 'label' before any section"),
        ("[tcp:requests]\n", "1:1", "expected [tcp:request], [tcp:response] or [mtu]"),
        ("[tcp]\n", "1:1", "expected [tcp:request]"),
        ("[tcp:request]\nsig = " + SIG, "2:1", "sig without a correct label before it"),
        ("[tcp:request]\nlabel = s:unix:Linux:x\n", "2:11", "class 'unix', expected one of !"),
        (HEAD + "label = x:unix:Linux:x\n", "4:9", "type 'x' of a label"),
        (HEAD + "label = s:unix:Linux\n", "4:9", "expected type:class:name:flavor"),
        (HEAD + "label = s:unix:Li|nux:\n", "4:16", "name 'Li|nux'"),
        (HEAD + "class = desktop\n", "4:9", "class 'desktop', expected one of client, server, embedded, tool"),
        (HEAD + f"sig = {SIG}\nclass = client\n", "5:1", "class after a sig"),
        (HEAD + "sigs = x\n", "4:1", "key 'sigs', expected one of label, sys, class, sig"),
        (HEAD + "nonsense\n", "4:1", "'nonsense', expected [section], key = value or a comment"),
        (HEAD + f"sig = 4{SIG[1:]}\n  sig = 4{SIG[1:]}\n", "5:9", "takes nothing that line 4 does not take"),
        ("[mtu]\nsig = 1500\n", "2:1", "sig without a label"),
        ("[mtu]\nlabel = a\nsig = 0\n", "3:7", "MTU '0', expected a number from 1 to 65535"),
        ("[mtu]\nlabel = a\nsig = 1\nsig = 1\n", "4:7", "MTU 1 again"),
        (b"[mtu]\nlabel = \xff\n", "2:9", "byte 0xff, expected UTF-8"),
    ],
)
def test_errors(text, place, message):
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.loads_tcp(text, "a.fp")
    assert str(caught.value.errors[0]).startswith(f"a.fp:{place}: ")
    assert message in str(caught.value)


def test_classes_and_roles():
    text = "classes = win, unix\n[tcp:response]\nlabel = g:WIN:Windows:\nclass = client\n" + f"sig = {SIG}\n"
    text += "label = s:!:Scanner:x\nsys = @unix,Linux\n" + f"sig = {SIG.replace('64', '255')}\n"
    text += "[http:request]\nua_os = x\nsig = not ours\n[mtu]\nlabel = Ethernet\nsig = 1500\n; end"
    windows, scanner = sigdb.loads_tcp(text).signatures
    assert (windows.label.generic, windows.label.os_class, windows.label.role) == (True, "win", "client")
    assert windows.response
    assert (scanner.label.os_class, scanner.label.role, scanner.label.systems) == ("!", "tool", ("@unix", "Linux"))
    assert sigdb.loads_tcp(text).mtus == {1500: "Ethernet"}


def test_files_are_read_together(tmp_path: Path):
    first, second = tmp_path / "1.fp", tmp_path / "2.fp"
    first.write_text(HEAD + f"sig = {SIG}\n[mtu]\nlabel = a\nsig = 1\n")
    second.write_text(HEAD + f"sig = {SIG}\n[mtu]\nlabel = b\nsig = 1\nsig = 2\n")
    database = sigdb.load_tcp([first, second])
    assert [s.file for s in database.signatures] == [str(first), str(second)]
    assert database.mtus == {1: "a", 2: "b"}
    with pytest.raises(sigdb.SignatureErrors, match="cannot be read: No such file"):
        sigdb.load_tcp([first, tmp_path / "3.fp"])


@pytest.mark.parametrize("path", sigdb.shipped_tcp(), ids=lambda path: Path(path).name)
def test_shipped(path):
    database = sigdb.load_tcp([path])
    assert database.signatures or database.mtus


def test_flags_are_distinct():
    assert len({flag.value for flag in Flag}) == len(Flag)
