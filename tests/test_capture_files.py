# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capture files: every format gives the same records, every damage its place, and all before the damage is read."""

import gzip
import lzma
import os
import subprocess
import sys
import threading

import numpy as np
import packets as p
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import capture.files
from capture import Batch, CaptureError, FilterError, check_filter, open_capture
from capture.record import RECORD, TAG

KEY = bytes(range(64))
START = 1_600_000_000_000_000_000
PACKETS = [p.Packet(p.ethernet(p.ipv4(p.tcp(b"x" * n, seq=n, sport=1000 + n))), START + n * 1000) for n in range(1, 6)]
PCAP = p.pcap(PACKETS)
PCAPNG = p.pcapng(PACKETS)
SECTION, INTERFACE = p.section(), p.interface()
NOW = PACKETS[0]


def read(path, capacity=1024, **options):
    """Return the records, tags, error text (or None) and the closed capture."""
    records, tags, error = [], [], None
    batch = Batch(capacity)
    with open_capture(path, key=KEY, **options) as reader:
        try:
            while (count := reader.read(batch)) >= 0:
                records.append(np.frombuffer(batch.records, RECORD)[:count].copy())
                tags.append(np.frombuffer(batch.tags, TAG)[:count].copy())
        except CaptureError as damage:
            error = str(damage)
            with pytest.raises(CaptureError):
                reader.read(batch)
        else:
            assert reader.read(batch) == -1
    counted = reader.counters()
    assert counted["packets"] == sum(v for k, v in counted.items() if k not in ("packets", "bytes"))
    return np.concatenate([np.empty(0, RECORD), *records]), np.concatenate([np.empty(0, TAG), *tags]), error, reader


def read_bytes(tmp_path, data, **options):
    path = tmp_path / "x"
    path.write_bytes(data)
    records, tags, error, reader = read(path, **options)
    return records, tags, error and error.removeprefix(f"{path}: "), reader


def lengths(records):
    return [int(n) for n in records["len"]]


SAME = {
    "pcap": PCAP,
    "pcap, big endian": p.pcap(PACKETS, ">"),
    "pcap, nanoseconds": p.pcap(PACKETS, nano=True),
    "pcap, nanoseconds, big endian": p.pcap(PACKETS, ">", nano=True),
    "pcap, kuznetzov": p.pcap(PACKETS, kuznetzov=True),
    "pcap, link type with frame check sequence": p.pcap(PACKETS, link=0x14000001),
    "pcap 2.2": p.pcap(PACKETS, version=(2, 2)),
    "pcapng": PCAPNG,
    "pcapng, big endian": p.pcapng(PACKETS, ">"),
    "pcapng, both": p.pcapng(PACKETS[:2], ">") + p.pcapng(PACKETS[2:], "<"),
    "pcapng, old packet blocks": SECTION + INTERFACE + b"".join(map(p.obsolete, PACKETS)),
    "pcapng, unknown and custom blocks": SECTION + p.block(0x0BAD, b"x" * 9) + INTERFACE + p.block(0xBAD, bytes(500))
    + p.block(5, bytes(12)) + b"".join(p.enhanced(q) + p.block(0x80000001, b"y" * 30) for q in PACKETS),
    "pcapng, a block larger than the buffer": SECTION + INTERFACE + p.block(10, bytes(1_000_000))
    + b"".join(map(p.enhanced, PACKETS)),
    "gzip": gzip.compress(PCAP),
    "gzip, two members": gzip.compress(PCAP[:100]) + gzip.compress(PCAP[100:]),
    "gzip, padded": gzip.compress(PCAP) + bytes(512),
    "gzip, pcapng": gzip.compress(PCAPNG),
    "xz": lzma.compress(PCAP),
    "xz, two streams": lzma.compress(PCAP[:77]) + bytes(8) + lzma.compress(PCAP[77:]),
    "zstd": zstandard.compress(PCAP),
    "zstd, frames": zstandard.compress(PCAPNG[:77]) + b"\x50\x2a\x4d\x18\3\0\0\0xyz" + zstandard.compress(PCAPNG[77:]),
    "zstd, begins with a frame to skip": b"\x5f\x2a\x4d\x18\0\0\0\0" + zstandard.compress(PCAP),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("capacity", [1, 3, 1024])
def test_every_format_gives_the_same_records(tmp_path, name, capacity):
    want = read_bytes(tmp_path, PCAP)[0]
    assert list(want["ts"]) == [q.ts for q in PACKETS]
    assert lengths(want) == [1, 2, 3, 4, 5]
    records, _, error, reader = read_bytes(tmp_path, SAME[name], capacity=capacity)
    assert error is None
    assert np.array_equal(records, want)
    assert (reader.first_ns, reader.last_ns) == (START + 1000, START + 5000)
    assert reader.offset == reader.size == len(SAME[name])
    assert reader.counters()["bytes"] == sum(len(q.data) for q in PACKETS)


@pytest.mark.parametrize("name", ["pcap", "pcapng", "gzip", "zstd", "xz"])
def test_standard_input_and_named_pipe(tmp_path, name):
    want = read_bytes(tmp_path, PCAP)[0]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(SAME[name],), daemon=True)
    writer.start()
    records, _, error, reader = read(str(fifo))
    writer.join(10)
    assert (error, reader.size) == (None, None)
    assert np.array_equal(records, want)
    code = "from capture import *; b = Batch(); c = open_capture('-'); print(c.read(b), c.read(b), c.size)"
    done = subprocess.run([sys.executable, "-c", code], input=SAME[name], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"5 -1 None\n"


def test_a_pipe_is_not_waited_for_while_there_are_packets():
    inward, outward = os.pipe()
    with open(outward, "wb", buffering=0) as writer, open_capture(f"/dev/fd/{inward}") as reader:
        batch = Batch()
        writer.write(PCAP[:-1])
        assert reader.read(batch) == 4
        writer.write(PCAP[-1:])
        assert reader.read(batch) == 1
    os.close(inward)


def patched(data, place, new):
    return data[:place] + new + data[place + len(new) :]


FIRST = 24 + 16 + 60  # behind the first packet of PCAP
BLOCK = len(SECTION + INTERFACE)  # first packet block of PCAPNG
ONE = len(p.enhanced(NOW))
HEAD = SECTION + INTERFACE
ASKED = "expected pcap or pcapng, plain or in gzip, xz or zstd"

# data: records before the damage, the error without the file's name
DAMAGES = {
    "nothing": (b"", 0, f"offset 0: empty, {ASKED}"),
    "text": (b"hello world", 0, f"offset 0: not a capture (begins with 68 65 6c 6c 6f 20), {ASKED}"),
    "snoop": (b"snoop\0\0\0", 0, f"offset 0: a snoop capture (begins with 73 6e 6f 6f 70 00), {ASKED}"),
    "bzip2": (b"BZh91AY", 0, f"offset 0: bzip2 data (begins with 42 5a 68 39 31 41), {ASKED}"),
    "file header cut": (PCAP[:23], 0, "offset 0: file header cut short: 23 of 24 bytes"),
    "version": (patched(PCAP, 4, b"\3\0"), 0, "offset 0: pcap version 3.4, expected 2.0 to 2.4"),
    "packet header cut": (PCAP[: FIRST + 7], 1, f"offset {FIRST}: packet header cut short: 7 of 16 bytes"),
    "packet cut": (PCAP[:-1], 4, f"offset {24 + 4 * 76}: packet cut short: 75 of 76 bytes"),
    "huge packet": (patched(PCAP, FIRST + 8, b"\1\0\4\0"), 1,
                    f"offset {FIRST}: packet of 262145 captured bytes, expected at most 262144"),
    "no section": (patched(PCAPNG, 8, b"abcd"), 0,
                   "offset 0: section with byte-order magic 61 62 63 64, expected 1a 2b 3c 4d or 4d 3c 2b 1a"),
    "section version": (patched(PCAPNG, 12, b"\2"), 0, "offset 0: pcapng version 2.0, expected 1.x"),
    "short section": (p.block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a"), 0,
                      "offset 0: section header of 16 bytes, expected at least 28"),
    "block header cut": (PCAPNG[: BLOCK + 5], 0, f"offset {BLOCK}: block header cut short: 5 of 12 bytes"),
    "block cut": (PCAPNG[:-1], 4, f"offset {BLOCK + 4 * ONE}: block cut short: {ONE - 1} of {ONE} bytes"),
    "odd block": (patched(PCAPNG, BLOCK + ONE + 4, b"\x21"), 1,
                  f"offset {BLOCK + ONE}: block of 33 bytes, expected a multiple of 4 from 12 to 16777216"),
    "small block": (patched(PCAPNG, BLOCK + 4, b"\x08"), 0,
                    f"offset {BLOCK}: block of 8 bytes, expected a multiple of 4 from 12 to 16777216"),
    "huge block": (patched(PCAPNG, BLOCK + 4, b"\0\0\0\x40"), 0,
                   f"offset {BLOCK}: block of 1073741824 bytes, expected a multiple of 4 from 12 to 16777216"),
    "lengths differ": (patched(PCAPNG, BLOCK + ONE - 4, b"\x10"), 0,
                       f"offset {BLOCK}: block of {ONE} bytes ends with a length of 16"),
    "no such interface": (HEAD + p.enhanced(NOW) + p.enhanced(p.Packet(NOW.data, interface=7)), 1,
                          f"offset {BLOCK + ONE}: packet of interface 7, but the section describes 1 so far"),
    "no interface, simple": (SECTION + p.simple(NOW.data), 0,
                             "offset 28: packet of interface 0, but the section describes 0 so far"),
    "interfaces end with their section": (HEAD + SECTION + p.enhanced(NOW), 0,
                                          f"offset {BLOCK + 28}: packet of interface 0, "
                                          "but the section describes 0 so far"),
    "packet larger than its block": (HEAD + p.block(6, bytes(12) + b"\x64\0\0\0" + bytes(8)), 0,
                                     f"offset {BLOCK}: packet of 100 captured bytes in a block of 36 bytes"),
    "simple packet larger than its block": (HEAD + p.simple(b"abcd", 9), 0,
                                            f"offset {BLOCK}: packet of 9 captured bytes in a block of 20 bytes"),
    "packet block too small": (HEAD + p.block(6, bytes(8)), 0,
                               f"offset {BLOCK}: packet block of 20 bytes, expected at least 32"),
    "interface too small": (SECTION + p.block(1, b""), 0,
                            "offset 28: interface description of 12 bytes, expected at least 20"),
    "option too large": (SECTION + p.block(1, b"\1\0\0\0\0\0\0\0\2\0\x40\0abcd"), 0,
                         "offset 28: option of 64 bytes goes beyond its interface description"),
    "gzip cut": (gzip.compress(PCAP)[:-9], 5, None),
    "gzip, wrong checksum": (gzip.compress(PCAP)[:-8] + bytes(8), 5,
                             f"offset {len(PCAP)}: gzip data is damaged: incorrect data check"),
    "gzip, then something else": (gzip.compress(PCAP) + b"hello world", 5,
                                  f"offset {len(PCAP)}: gzip data is followed by something else (68 65 6c 6c)"),
    "gzip of nothing": (gzip.compress(b""), 0, f"offset 0: empty, {ASKED}"),
    "gzip of a cut file": (gzip.compress(PCAP[:-1]), 4, f"offset {24 + 4 * 76}: packet cut short: 75 of 76 bytes"),
    "xz cut": (lzma.compress(PCAP)[:-1], 5, f"offset {len(PCAP)}: xz data ends early"),
    "xz, wrong checksum": (patched(lzma.compress(PCAP), -12 - 16 - 4, b"\xaa\xaa"), 5, None),
    "zstd cut": (zstandard.compress(PCAP)[:-1], 0, "offset 0: zstd data ends early"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("capacity", [1, 1024])
def test_all_before_the_damage_is_read(tmp_path, name, capacity):
    data, count, text = DAMAGES[name]
    records, _, error, _ = read_bytes(tmp_path, data, capacity=capacity)
    assert lengths(records) == [1, 2, 3, 4, 5][:count]
    assert error is not None
    if text is not None:
        assert error == text


def noise(size):
    return np.random.default_rng(size).bytes(size)


def zstd_with_checksum(data):
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstd_with_checksum])
def test_damage_deep_inside_compressed_data(tmp_path, pack):
    many = p.pcap([p.Packet(p.ethernet(p.ipv4(p.tcp(noise(1000 + n))))) for n in range(300)])
    packed = pack(many)
    whole = len(read_bytes(tmp_path, many)[0])
    records, _, error, _ = read_bytes(tmp_path, packed[: len(packed) // 2])
    assert 0 < len(records) < whole
    assert "ends early" in error
    records, _, error, _ = read_bytes(tmp_path, patched(packed, len(packed) // 2, bytes(64)))
    assert 0 < len(records) <= whole
    assert error is not None


def test_a_bomb_takes_little_memory(tmp_path):
    data = p.pcap([]) + p.pcap([p.Packet(bytes(60), 0)])[24:] * 300_000
    bomb = tmp_path / "bomb.zst"
    bomb.write_bytes(zstandard.compress(data, 19))
    assert bomb.stat().st_size < 10_000
    code = f"""if True:
        import resource
        from capture import *
        resource.setrlimit(resource.RLIMIT_DATA, (300 << 20,) * 2)
        batch, reader = Batch(), open_capture({str(bomb)!r})
        while reader.read(batch) >= 0:
            pass
        print(reader.counters()["packets"])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"300000\n"


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(CaptureError, match="nowhere: No such file or directory") as caught:
        open_capture(tmp_path / "nowhere")
    assert caught.value.offset is None
    assert "cannot be read: Is a directory" in read(tmp_path)[2]


CLOCKS = [
    (None, 0, 1_600_000_000_123_456, 1_600_000_000_123_456_000),
    (0, 0, 1_600_000_000, 1_600_000_000_000_000_000),
    (3, 0, 1_600_000_000_123, 1_600_000_000_123_000_000),
    (9, 0, 1_600_000_000_123_456_789, 1_600_000_000_123_456_789),
    (12, 0, 1_600_000_123_456_789_123, 1_600_000_123_456_789),
    (19, 0, 12_345_678_912_345_678_912, 1_234_567_891),
    (30, 0, 12_345_678_912_345_678_912, 0),
    (127, 0, 1, 0),
    (0x80, 0, 1_600_000_000, 1_600_000_000_000_000_000),
    (0x80 | 20, 0, (1_600_000_000 << 20) + (1 << 19), 1_600_000_000_500_000_000),
    (0x80 | 32, 0, (1_600_000_000 << 32) + (1 << 30), 1_600_000_000_250_000_000),
    (0x80 | 63, 0, 1 << 62, 500_000_000),
    (0x80 | 64, 0, 1 << 63, 500_000_000),
    (0xFF, 0, (1 << 64) - 1, 0),
    (6, 1_600_000_000, 5, 1_600_000_000_000_005_000),
    (6, -5, 7_000_001, 2_000_001_000),
    (6, -8, 7_000_001, 0),
    (0, 0, (1 << 64) - 1, (1 << 64) - 1),
    (6, (1 << 63) - 1, (1 << 64) - 1, (1 << 64) - 1),
    (6, -(1 << 63), 1, 0),
]


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("order", "<>")
def test_clock_of_an_interface(tmp_path, order, clock):
    resolution, offset, ticks, want = clock
    data = p.section(order) + p.interface(order=order, resolution=resolution, offset=offset, name="eth0")
    records, _, error, _ = read_bytes(tmp_path, data + p.enhanced(NOW, ticks, order))
    assert error is None
    assert list(records["ts"]) == [want]


def test_interfaces_and_sections(tmp_path):
    raw = NOW.data[14:]
    data = (
        SECTION + p.interface(1, "eth0") + p.interface(101, "tun0") + p.interface(127, "wlan0")
        + p.enhanced(NOW) + p.enhanced(p.Packet(raw, interface=1)) + p.enhanced(p.Packet(raw, interface=2))
        + SECTION + p.interface(1, "eth0") + p.interface(113, "any") + p.enhanced(p.Packet(NOW.data))
        + p.enhanced(p.Packet(bytes(14) + b"\x08\0" + raw, interface=1))
    )  # fmt: skip
    records, tags, error, reader = read_bytes(tmp_path, data)
    assert error is None
    assert lengths(records) == [1, 1, 1, 1]
    assert reader.interfaces == ["eth0", "tun0", "wlan0", "any"]
    assert list(tags["iface"]) == [0, 1, 0, 3]
    assert reader.counters()["other_link"] == 1
    assert reader.other_links() == {"IEEE802_11_RADIO (127)": 1}


def test_simple_packets(tmp_path):
    data = SECTION + p.interface(snaplen=70) + p.enhanced(NOW) + p.simple(NOW.data) + p.simple(bytes(72), 2000)
    records, _, error, reader = read_bytes(tmp_path, data)
    assert error is None
    assert list(records["ts"]) == [NOW.ts] * 2
    assert reader.counters()["bytes"] == 60 + 60 + 2000


def test_file_without_packets(tmp_path):
    for data in (p.pcap([]), SECTION, HEAD):
        records, _, error, reader = read_bytes(tmp_path, data)
        assert (len(records), error, reader.first_ns, reader.last_ns) == (0, None, None, None)


def test_filter(tmp_path):
    records, _, _, reader = read_bytes(tmp_path, PCAP, filter="src port 1002 or src port 1004")
    assert lengths(records) == [2, 4]
    counted = reader.counters()
    assert (counted["packets"], counted["filtered"], counted["record"]) == (5, 3, 2)


def test_filter_by_link_type(tmp_path):
    data = (
        HEAD + p.interface(101) + p.interface(127) + p.enhanced(NOW) + p.enhanced(p.Packet(NOW.data[14:], interface=1))
    )
    data += p.enhanced(p.Packet(NOW.data, interface=2))
    records, _, error, reader = read_bytes(tmp_path, data, filter="tcp port 22")
    assert (lengths(records), error, reader.counters()["other_link"]) == ([1, 1], None, 1)


@pytest.mark.parametrize(
    ("expression", "text"),
    [("tcp prot 22", "syntax error"), ("port 99999", "illegal port number"), ("tcp and", "syntax error"),
     ("a\0b", "NUL"), ("ether host", "syntax error")],
)  # fmt: skip
def test_wrong_filter(tmp_path, expression, text):
    with pytest.raises(FilterError, match=text):
        check_filter(expression)
    path = tmp_path / "x"
    path.write_bytes(PCAP)
    with pytest.raises(FilterError, match=text):
        open_capture(path, filter=expression)


def test_a_filter_that_suits_one_link_type_only(tmp_path):
    check_filter("inbound")
    check_filter("")
    path = tmp_path / "x"
    path.write_bytes(HEAD + p.enhanced(NOW) + p.interface(101) + p.enhanced(NOW))
    batch = Batch()
    with open_capture(path, filter="ether host 02:00:00:00:00:01") as reader:
        assert reader.read(batch) == 1
        with pytest.raises(FilterError, match="ethernet"):
            reader.read(batch)


pieces = st.lists(
    st.sampled_from([*map(p.enhanced, PACKETS), p.simple(NOW.data), INTERFACE, SECTION, p.block(9, b"abc")])
)


@given(blocks=pieces, size=st.integers(1, 200), capacity=st.integers(1, 7), data=st.data())
def test_chunks_and_batches_of_any_size(tmp_path_factory, blocks, size, capacity, data):
    whole = SECTION + INTERFACE + b"".join(blocks)
    whole = whole[: data.draw(st.integers(1, len(whole)))]
    tmp_path = tmp_path_factory.mktemp("chunks", numbered=True)
    want = read_bytes(tmp_path, whole)
    before = capture.files.CHUNK
    capture.files.CHUNK = size
    try:
        got = read_bytes(tmp_path, whole, capacity=capacity)
    finally:
        capture.files.CHUNK = before
    assert got[2] == want[2]
    assert np.array_equal(got[0], want[0])
    assert got[3].counters() == want[3].counters()
