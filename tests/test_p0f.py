# SPDX-License-Identifier: LGPL-2.1-or-later
"""p0f 3.09b beside flowtap, with p0f's own database: the same raw signature, system, distance and params for each line.

The one way in which flowtap means to differ is `ack+`: see explained().
"""

from __future__ import annotations

import gzip
import os
import random
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import sigdb
from sigdb.tcp_nodes import QUIRK, Window
from tests import p0f
from tests.handshakes import ACK, LINUX, MSS, NOP, SOK, SYN, WS7, Syn, timestamps
from tests.packets import Packet, pcap

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("FLOWTAP_CAPTURES", HERE.parent.parent / "shared" / "captures"))
FOREIGN = sorted(q for q in FOLDER.rglob("*") if q.suffix in (".pcap", ".pcapng", ".trace")) if FOLDER.is_dir() else []
OWN = sorted((HERE / "captures").glob("*.pcap.gz"))

pytestmark = pytest.mark.skipif(p0f.MISSING is not None, reason=str(p0f.MISSING))


@cache
def database() -> sigdb.TcpDatabase:
    return sigdb.load_tcp([p0f.FP])


def explained(line: p0f.Line, ours: list[p0f.Line]) -> bool:
    """Whether only `ack+` is between p0f's line and one of ours.

    p0f means to test for any acknowledgement number in a SYN, but an `&` takes the lowest bit of its first byte alone.
    """

    def without(raw: str) -> str:
        fields = raw.split(":")
        fields[6] = ",".join(quirk for quirk in fields[6].split(",") if quirk != "ack+")
        return ":".join(fields)

    return any(without(other.raw) == line.raw and "ack+" in other.raw for other in ours)


def compare(path: Path, tmp_path: Path, *, strict: bool = False) -> int:
    """Compare the lines of a file; return how many p0f has. Skips what p0f cannot read even as plain pcap."""
    theirs = p0f.p0f_lines(path, tmp_path)
    if theirs is None:
        plain = tmp_path / "plain.pcap"
        subprocess.run(["editcap", "-F", "pcap", path, plain], capture_output=True, timeout=60, check=False)
        theirs = p0f.p0f_lines(plain, tmp_path) if plain.exists() else None
    if theirs is None:
        pytest.skip("p0f does not read it")
    wrong = p0f.differences(theirs, p0f.our_lines(path, database()))
    assert [pair for pair in wrong if strict or not explained(*pair)] == []
    return len(theirs)


@pytest.mark.skipif(not FOREIGN, reason=f"no captures in {FOLDER}; FLOWTAP_CAPTURES may name another folder")
@pytest.mark.parametrize("path", FOREIGN, ids=lambda q: str(q.relative_to(FOLDER)))
def test_captures_from_elsewhere(path, tmp_path):
    compare(path, tmp_path)


@pytest.mark.parametrize("path", OWN, ids=lambda q: q.name)
def test_own_captures(path, tmp_path):
    plain = tmp_path / "a.pcap"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert compare(plain, tmp_path, strict=True) > 0


def write(path: Path, syns: list[Syn]) -> Path:
    packets = [Packet(syn.frame(), ts=1_600_000_000_000_000_000 + i * 1_000_000) for i, syn in enumerate(syns)]
    path.write_bytes(pcap(packets))
    return path


CRAFTED = {
    "plain": Syn(),
    "without options": Syn(options=b""),
    "far": Syn(ttl=20),
    "far beyond 35": Syn(ttl=70),
    "initial 255": Syn(ttl=250),
    "no df": Syn(fragment=0),
    "id 0 without df": Syn(fragment=0, id=0),
    "id 0 with df": Syn(id=0),
    "must be zero": Syn(fragment=0xC000),
    "ecn in ip": Syn(tos=2),
    "ecn in tcp": Syn(flags=SYN | 0xC0),
    "only ece": Syn(flags=SYN | 0x40),
    "nonce bit": Syn(reserved=1),
    "reserved bit 2": Syn(reserved=2),
    "reserved bit 4": Syn(reserved=4),
    "reserved bit 8": Syn(reserved=8),
    "dscp": Syn(tos=0x48),
    "sequence number 0": Syn(seq=0),
    "ack number, as p0f sees it": Syn(ack=0x01000000),
    "urgent pointer": Syn(urgent=5),
    "urgent flag": Syn(flags=SYN | 32, urgent=5),
    "push": Syn(flags=SYN | 8),
    "payload": Syn(payload=b"x"),
    "ip options": Syn(ip_options=bytes(8)),
    "ts1-": Syn(options=MSS + SOK + timestamps(0) + NOP + WS7),
    "ts2+": Syn(options=MSS + SOK + timestamps(1, 1) + NOP + WS7),
    "eol": Syn(options=MSS + b"\0\0\0\0"),
    "eol, bytes behind": Syn(options=MSS + b"\0\1\0\0"),
    "eol, last byte behind": Syn(options=MSS + b"\0\0\0\1"),
    "eol at the very end": Syn(options=MSS + NOP * 3 + b"\0"),
    "scale 15": Syn(options=MSS + b"\x03\x03\x0f" + NOP),
    "mss of length 3": Syn(options=b"\x02\x03\x05\xb4"),
    "mss cut": Syn(options=NOP * 2 + b"\x02\x04"),
    "kind at the end": Syn(options=NOP * 3 + b"\x02"),
    "sok at the end": Syn(options=NOP * 3 + b"\x04"),
    "scale cut": Syn(options=NOP * 2 + b"\x03\x03"),
    "timestamps cut": Syn(options=NOP * 2 + b"\x08\x0a"),
    "timestamps of length 9": Syn(options=b"\x08\x09" + bytes(10)),
    "sack": Syn(options=b"\x05\x0a" + bytes(8) + NOP * 2),
    "sack too short": Syn(options=b"\x05\x09" + bytes(8) + NOP * 2),
    "unknown": Syn(options=b"\x1e\x04\0\0" + MSS),
    "unknown of length 1": Syn(options=b"\x1e\x01\0\0" + MSS),
    "unknown, too long": Syn(options=MSS + b"\x1e\x05\0\0"),
    "fast open": Syn(options=LINUX + b"\x22\x02"),
    "24 options": Syn(options=NOP * 24),
    "more than 24": Syn(options=NOP * 28),
    "mss twice": Syn(options=MSS + b"\x02\x04\x02\x00"),
    "window 0": Syn(window=0),
    "window of MSS": Syn(window=1460 * 10),
    "window of MSS - 12": Syn(window=1448 * 20, options=MSS + timestamps() + NOP * 2),
    "window of 1460": Syn(window=1460 * 4, options=b"\x02\x04\x05\x78"),
    "window of 1448": Syn(window=1448 * 4, options=b"\x02\x04\x05\x78"),
    "window of MTU": Syn(window=1440 * 3, options=b"\x02\x04\x05\x78"),
    "window of MSS and the headers": Syn(window=(1400 + 44) * 3, options=b"\x02\x04\x05\x78"),
    "window of 1500": Syn(window=4500, options=b"\x02\x04\x05\x78"),
    "mss of 99": Syn(window=990, options=b"\x02\x04\x00\x63"),
    "ipv6": Syn(version=6, window=28800, options=b"\x02\x04\x05\xa0" + LINUX[4:]),
    "ipv6, flow label": Syn(version=6, flow_label=5),
    "ipv6, traffic class": Syn(version=6, tos=0x4A),
    "ipv6, window of 1440": Syn(version=6, window=1440 * 7, options=b"\x02\x04\x04\xc4"),
    "ipv6, window of 1428": Syn(version=6, window=1428 * 7, options=b"\x02\x04\x04\xc4"),
    "ipv6, window of MTU": Syn(version=6, window=1280 * 5, options=b"\x02\x04\x04\xc4"),
    "nmap": Syn(window=1024, options=MSS, fragment=0, ttl=50),
}
ANSWERS = {
    "plain": (Syn(), {"window": 28960, "options": MSS + SOK + timestamps(9, 1) + NOP + WS7}),
    "window of the peer's MSS": (Syn(options=b"\x02\x04\x04\x01"), {"window": 1025 * 8, "options": MSS}),
    "window of the peer's MSS - 12": (Syn(options=b"\x02\x04\x04\x01"), {"window": 1013 * 8, "options": MSS}),
    "peer's MSS of 1": (Syn(options=b"\x02\x04\x00\x01"), {"window": 40001, "options": MSS}),
    "peer's MSS of 5": (Syn(options=b"\x02\x04\x00\x05"), {"window": 40007, "options": MSS}),
    "MSS of p0f-sendsyn": (Syn(), {"options": b"\x02\x04\x05\x33"}),
    "ack number 0": (Syn(seq=0xFFFFFFFF), {}),
    "ts2 in an answer": (Syn(), {"options": MSS + timestamps(1, 7)}),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted(name, tmp_path):
    assert compare(write(tmp_path / "a.pcap", [CRAFTED[name]]), tmp_path, strict=True) == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_crafted_answer(name, tmp_path):
    syn, fields = ANSWERS[name]
    assert compare(write(tmp_path / "a.pcap", [syn, syn.answer(**fields)]), tmp_path, strict=True) == 2


def test_ack_number_is_where_p0f_is_not_followed(tmp_path):
    path = write(tmp_path / "a.pcap", [Syn(ack=1)])
    (theirs,) = p0f.p0f_lines(path, tmp_path)
    (ours,) = p0f.our_lines(path, database())
    assert "ack+" not in theirs.raw
    assert ours.raw == theirs.raw.replace(":df,id+:", ":df,id+,ack+:")
    assert explained(theirs, [ours])


def by_signature(s: sigdb.TcpSignature, rng: random.Random) -> Syn:
    """Build a packet that the signature takes, or nearly."""
    version = s.version if s.version in (4, 6) else rng.choice((4, 4, 6))
    mss = rng.choice((1460, 1440, 1400, 536, 100, rng.randrange(65536))) if s.mss < 0 else s.mss
    scale = rng.randrange(16) if s.scale < 0 else s.scale
    window = s.window if s.window_kind == Window.VALUE else rng.randrange(65536)
    if s.window_kind == Window.MODULO:
        window -= window % s.window
    elif s.window_kind in (Window.MSS, Window.MTU):
        unit = mss + (0 if s.window_kind == Window.MSS else 40 if version == 4 else 60)
        window = rng.choice((unit, unit, unit - 12, 1460, 1500)) * s.window & 0xFFFF
    own = 0 if s.quirks & QUIRK["ts1-"] else rng.choice((1, 99))
    other = int(bool(s.quirks & QUIRK["ts2+"]))
    known = {
        1: NOP,
        2: b"\x02\x04" + mss.to_bytes(2, "big"),
        3: bytes((3, 3, scale)),
        4: SOK,
        8: timestamps(own, other),
    }
    options = b"".join(b"\0" + bytes(s.eol_pad) if k == 0 else known.get(k, bytes((k, 2))) for k in s.layout)
    quirks = s.quirks
    return Syn(
        version=version,
        ttl=max(1, s.ttl - rng.choice((0, 0, 5, 30, 40))),
        id=0 if quirks & QUIRK["id-"] else 7 * bool(quirks & QUIRK["id+"] or not quirks & QUIRK["df"]),
        fragment=0x4000 * bool(quirks & QUIRK["df"]) | 0x8000 * bool(quirks & QUIRK["0+"]),
        flow_label=int(bool(quirks & QUIRK["flow"])),
        tos=2 * bool(quirks & QUIRK["ecn"]),
        seq=0 if quirks & QUIRK["seq-"] else 1000,
        ack=0x01000000 * bool(quirks & QUIRK["ack+"]),
        urgent=int(bool(quirks & QUIRK["uptr+"])),
        flags=SYN | 32 * bool(quirks & QUIRK["urgf+"]) | 8 * bool(quirks & QUIRK["pushf+"]),
        ip_options=bytes(s.olen) if version == 4 and s.olen % 4 == 0 and s.olen <= 40 else b"",
        window=window,
        options=options[:40],
        payload=b"x" * (s.payload == 1),
    )


def disturbed(syn: Syn, rng: random.Random) -> Syn:
    """Change one thing of a packet."""
    options = bytearray(syn.options)
    for _ in range(rng.randrange(3)):
        if options:
            options[rng.randrange(len(options))] = rng.choice((0, 1, 2, 3, 4, 5, 8, 10, rng.randrange(256)))
    changes = (
        {"options": bytes(options)},
        {"options": rng.randbytes(rng.randrange(41))},
        {"ttl": rng.randrange(1, 256)},
        {"window": rng.randrange(65536)},
        {"tos": rng.randrange(256)},
        {"fragment": rng.choice((0, 0x4000, 0x8000, 0xC000)), "id": rng.choice((0, 7))},
        {"reserved": rng.randrange(16), "flags": syn.flags | rng.choice((0, 8, 32, 64, 128))},
        {"urgent": rng.choice((0, 1)), "payload": rng.choice((b"", b"x"))},
    )
    return replace(syn, **rng.choice(changes))


@pytest.mark.parametrize("seed", range(4))
def test_random(seed, tmp_path):
    """Every signature of p0f's database, twice in each seed, exact and disturbed; with an answer after each SYN."""
    rng = random.Random(seed)
    requests = [s for s in database().signatures if not s.response]
    responses = [s for s in database().signatures if s.response]
    packets = []
    port = 1024
    for i in range(2 * max(len(requests), len(responses))):
        port += 1
        syn = replace(by_signature(requests[i % len(requests)], rng), sport=port)
        answer = by_signature(responses[i % len(responses)], rng)
        if i % 2:
            syn, answer = disturbed(syn, rng), disturbed(answer, rng)
        answer = replace(
            syn.answer(),
            **{
                name: getattr(answer, name)
                for name in (
                    "ttl",
                    "tos",
                    "id",
                    "fragment",
                    "seq",
                    "window",
                    "urgent",
                    "options",
                    "payload",
                    "flow_label",
                )
            },
        )
        packets += [syn, replace(answer, flags=SYN | ACK)]
    theirs = compare(write(tmp_path / "a.pcap", packets), tmp_path, strict=True)
    assert theirs > len(packets) * 0.6
