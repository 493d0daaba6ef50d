# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprinter: each rule by which a signature fits, what is repeated, the bounds of its tables."""

from dataclasses import replace

import pytest

import sigdb
from capture import Batch, open_capture
from engine import Fingerprinter
from engine.fingerprints import RESULT_SIZE, Flag, results
from sigdb.tcp_nodes import QUIRK, QUIRKS
from tests.handshakes import LINUX, MSS, Syn, timestamps
from tests.packets import SERVER6, Packet, ethernet, extension, ipv6, pcap, vlan

CLASSES = "classes = win,unix,other\n"
SIG = "*:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+:0"  # what Syn() is


def database(*entries, side="request"):
    """Make a database of (label, signature) pairs."""
    text = CLASSES + f"[tcp:{side}]\n"
    return sigdb.loads_tcp(text + "".join(f"label = {label}\nsig = {sig}\n" for label, sig in entries))


def fingerprint(fingerprinter, *syns):
    """Return (result, fingerprint) of each packet."""
    out = bytearray(RESULT_SIZE * len(syns))
    assert fingerprinter.process(b"".join(syn.record() for syn in syns), out) == len(syns)
    return [(r, fingerprinter.describe(r)) for r in results(out, len(syns))]


def last(db, *syns):
    return fingerprint(Fingerprinter(db), *syns)[-1][1]


def sig(old, new):
    assert old in SIG
    return SIG.replace(old, new)


@pytest.mark.parametrize(
    ("signature", "syn", "fits"),
    [
        (SIG, Syn(), "exact"),
        # TTL
        (SIG, Syn(ttl=29), "exact"),
        (SIG, Syn(ttl=28), "fuzzy"),
        (SIG, Syn(ttl=65), "fuzzy"),
        (sig("64", "64-"), Syn(ttl=1), "exact"),
        (sig("64", "64-"), Syn(ttl=65), ""),
        # quirks
        (SIG, Syn(fragment=0), "fuzzy"),
        (SIG, Syn(fragment=0, id=0), "fuzzy"),
        (SIG, Syn(tos=1), "fuzzy"),
        (SIG, Syn(fragment=0xC000), ""),
        (SIG, Syn(seq=0), ""),
        (SIG, Syn(ack=1), ""),
        (sig("df,id+", "df,id+,ecn"), Syn(), ""),
        (sig("df,id+", "df"), Syn(), ""),
        # IP version
        (sig("20", "21"), Syn(version=6, options=b"\2\4\5\xa0" + LINUX[4:], window=1440 * 21), "exact"),
        (sig("df,id+", "df,id+,flow"), Syn(), "exact"),
        (sig("df,id+", "df,id+,flow"), Syn(version=6, window=1460 * 20, flow_label=1), "exact"),
        # fixed and wild fields
        (sig(":0:*", ":8:*"), Syn(ip_options=bytes(8)), "exact"),
        (SIG, Syn(ip_options=bytes(8)), ""),
        (sig(":*:mss", ":1460:mss"), Syn(), "exact"),
        (sig(":*:mss", ":1400:mss"), Syn(), ""),
        (sig(",7:", ",*:"), Syn(), "exact"),
        (sig(",7:", ",8:"), Syn(), ""),
        (SIG[:-1] + "+", Syn(), ""),
        (SIG[:-1] + "+", Syn(payload=b"x"), "exact"),
        (SIG[:-1] + "*", Syn(payload=b"x"), "exact"),
        (sig("sok,ts", "ts,sok"), Syn(), ""),
        ("*:64:0:*:*,0:mss,eol+3:df,id+:0", Syn(options=MSS + bytes(4)), "exact"),
        ("*:64:0:*:*,0:mss,eol+2:df,id+:0", Syn(options=MSS + bytes(4)), ""),
        # window
        (sig("mss*20", "29200"), Syn(), "exact"),
        (sig("mss*20", "%2920"), Syn(), "exact"),
        (sig("mss*20", "%2921"), Syn(), ""),
        (sig("mss*20", "*"), Syn(window=0), "exact"),
        (sig("mss*20", "mtu*20"), Syn(), ""),
        (SIG, Syn(window=1448 * 20), "exact"),
        ("*:64:0:*:mtu*3,0:mss:df,id+:0", Syn(window=1440 * 3, options=b"\2\4\5\x78"), "exact"),
        ("*:64:0:*:mss*3,0:mss:df,id+:0", Syn(window=1440 * 3, options=b"\2\4\5\x78"), ""),
        ("*:64:0:*:mss*10,0:mss:df,id+:0", Syn(window=990, options=b"\2\4\0\x63"), ""),
    ],
)
def test_rules(signature, syn, fits):
    found = last(database(("s:unix:X:", signature)), syn)
    assert ("" if found.signature is None else "fuzzy" if found.fuzzy else "exact") == fits
    assert found.raw.count(":") == 7


@pytest.mark.parametrize(
    ("labels", "ttl", "expected"),
    [
        (("g:unix:Generic:", "s:unix:Specific:"), 60, "Specific"),
        (("g:unix:Generic:", "g:unix:Other:"), 60, "Generic"),
        (("s:unix:One:", "s:unix:Two:"), 60, "One"),
        (("s:!:Tool:", "s:unix:Two:"), 60, "Tool"),
        (("s:!:Tool:", "s:unix:Two:"), 5, None),  # the first fuzzy match is a program's, and that is none
        (("s:unix:Two:", "s:!:Tool:"), 5, "Two"),
        (("g:unix:Generic:", "s:unix:Specific:"), 5, "Generic"),
    ],
)
def test_order(labels, ttl, expected):
    first, second = labels
    both = sigdb.TcpDatabase(database((first, SIG)).signatures + database((second, SIG)).signatures, {})
    found = last(both, Syn(ttl=ttl))
    assert found.name == expected


@pytest.mark.parametrize(
    ("ttl", "signature", "distance", "params"),
    [
        (60, SIG, "4", "none"),
        (20, SIG, "12", "fuzzy"),
        (70, SIG, "58", "fuzzy excess_dist"),
        (60, sig("64", "255-"), "<= 195", "random_ttl excess_dist"),
        (60, sig("nop", "sack"), "4", "none"),
        (200, sig("nop", "sack"), "55", "excess_dist"),
    ],
)
def test_distance(ttl, signature, distance, params):
    found = last(database(("s:unix:X:", signature)), Syn(ttl=ttl))
    assert (found.distance_text, found.params) == (distance, params)


def test_raw_text():
    assert last(database(), Syn()).raw == "4:64+0:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0"
    assert last(database(), Syn(ttl=90, tos=0x48)).raw.startswith("4:90+?:0:")
    assert last(database(), Syn(tos=0x48)).params == "tos:0x12"


def test_answer_has_the_window_of_its_syn():
    db = database(("s:unix:Server:", "*:64:0:*:mss*8,0:mss:df,id+:0"), side="response")
    syn = Syn(options=b"\2\4\4\1")
    answer = syn.answer(window=1025 * 8, options=MSS)
    assert last(db, syn, answer).name == "Server"
    assert last(db, answer).name is None
    assert last(db, replace(syn, sport=1), answer).name is None
    found = fingerprint(Fingerprinter(db), syn, answer, syn, answer)
    assert [bool(r.flags & Flag.REPEATED) for r, _ in found] == [False, False, True, True]
    assert [f.side for _, f in found] == ["syn", "syn+ack"] * 2
    # the SYN of another connection of the same ports
    fresh = replace(syn, seq=77, options=MSS)
    assert fingerprint(Fingerprinter(db), syn, answer, fresh, fresh.answer())[-1][0].syn_mss == 1460


def test_facts_of_a_handshake():
    db = sigdb.loads_tcp("[mtu]\nlabel = Ethernet\nsig = 1500\n")
    ((result, found),) = fingerprint(Fingerprinter(db), Syn(options=MSS + timestamps(77, 5)))
    assert (result.ts1, result.ts2, result.mss, result.mtu, result.ttl) == (77, 5, 1460, 1500, 64)
    assert (found.mtu, found.link, found.label, found.role) == (1500, "Ethernet", None, "")
    ((result, found),) = fingerprint(Fingerprinter(db), Syn(options=b""))
    assert (result.mtu, found.link) == (0, None)


def test_tables_are_bounded():
    fingerprinter = Fingerprinter(database(("s:unix:X:", SIG)), signatures=4, pending=4)
    first = fingerprint(fingerprinter, *(Syn(window=29200 + i) for i in range(4)))
    assert fingerprinter.describe(first[0][0]) is first[0][1]
    second = fingerprint(fingerprinter, Syn(window=1), Syn())
    assert second[1][0].number not in [r.number for r, _ in first]
    assert second[1][1].name == "X"
    with pytest.raises(LookupError):
        fingerprinter.describe(first[0][0])
    data = b"".join(Syn(window=i).record() for i in range(10))
    out = bytearray(RESULT_SIZE * 10)
    assert fingerprinter.process(data, out) == 4
    assert fingerprinter.process(data, out[:RESULT_SIZE], 4) == 1
    assert fingerprinter.process(b"", out) == 0
    counters = fingerprinter.counters()
    assert counters["handshakes"] == 11
    assert counters["forgotten"] + counters["signatures"] == 11


@pytest.mark.parametrize(
    ("size", "first", "count"), [(127, 0, -1), (128, 2, -1), (128, 0, 2), (128, -1, 1), (128, 0, -2)]
)
def test_wrong_input(size, first, count):
    with pytest.raises(ValueError, match=r"bytes|records"):
        Fingerprinter(database()).process(bytes(size), bytearray(RESULT_SIZE), first, count)


def test_quirks_are_where_the_parser_has_them():
    all_of_them = Syn(fragment=0xC000, ack=1, urgent=1, tos=1, seq=0, options=b"\3\3\x0f")
    found = last(database(), all_of_them).raw.split(":")[6].split(",")
    assert found == ["df", "id+", "ecn", "0+", "seq-", "ack+", "uptr+", "exws"]
    assert [QUIRK[name] for name in QUIRKS] == [1 << i for i in range(17)]


def test_behind_vlan_and_extension_headers(tmp_path):
    syn = Syn(version=6, server=SERVER6)
    hop = ipv6(extension(6, syn.packet()[40:]), protocol=0, hops=64)
    frames = [ethernet(vlan(Syn().packet(), 5), 0x8100), ethernet(hop, 0x86DD), Syn().frame()[:60]]
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([Packet(frames[0]), Packet(frames[1]), Packet(frames[2], wire=74)]))
    batch = Batch(handshakes=True)
    fingerprinter, out = Fingerprinter(database(("s:unix:X:", SIG))), bytearray(RESULT_SIZE * 3)
    with open_capture(path) as capture:
        assert capture.read(batch) == 3
    assert (batch.handshake_count, batch.handshakes_cut) == (2, 1)
    assert fingerprinter.process(batch.handshakes, out, 0, 2) == 2
    first, second = (fingerprinter.describe(r) for r in results(out, 2))
    assert first.name == "X"
    assert second.raw.startswith("6:64+0:8:1460:")
