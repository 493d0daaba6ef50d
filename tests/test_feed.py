# SPDX-License-Identifier: LGPL-2.1-or-later
"""The feed: numbers, forms, slow subscribers; the file of events on a full disk, rotated, damaged."""

import json
import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from engine.eventfile import EventFile
from engine.feed import QUEUE, Feed

SECOND = 1_000_000_000


def subscriber(context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, feed: Feed) -> "zmq.Socket[bytes]":
    """Return a subscriber that is known to be heard: the first messages are thrown away."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(endpoint)
    for _ in range(500):
        feed.append({"hello": 1})
        if socket.poll(10):
            break
    while socket.poll(50):
        socket.recv_multipart()
    return socket


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("topic", ["", "flowtap"])
def test_every_message_is_one_event(context: Any, tmp_path: Path, topic: str, form: Any) -> None:
    endpoint = f"ipc://{tmp_path}/feed"
    feed = Feed(context, endpoint, topic=topic, form=form, seq=100)
    socket = subscriber(context, endpoint, feed)
    seq = feed.append({"event_type": "alert", "flowtap": {"id": "é"}})
    feed.append({"event_type": "stats"})
    frames = [socket.recv_multipart(), socket.recv_multipart()]
    assert [frame[:-1] for frame in frames] == [[topic.encode()] if topic else []] * 2
    decode = json.loads if form == "json" else msgpack.unpackb
    assert [decode(frame[-1]) for frame in frames] == [
        {"event_type": "alert", "flowtap": {"id": "é", "seq": seq}},
        {"event_type": "stats", "flowtap": {"seq": seq + 1}},
    ]
    assert b"\n" not in frames[0][-1]
    socket.close()
    feed.close()


def test_what_json_cannot_say_has_no_number(context: Any, tmp_path: Path) -> None:
    feed = Feed(context, f"ipc://{tmp_path}/feed", file=EventFile(str(tmp_path / "a")))
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    for wrong in (b"bytes", deep, {1: 2}, 2**70):
        with pytest.raises(TypeError):
            feed.append({"wrong": wrong})
    assert feed.append({}) == 1
    feed.flush(0)
    feed.close()
    assert (tmp_path / "a").read_text() == '{"flowtap":{"seq":1}}\n'


def test_an_endpoint_in_use_is_an_error(context: Any) -> None:
    first = context.socket(zmq.PUB)
    port = first.bind_to_random_port("tcp://127.0.0.1")
    with pytest.raises(zmq.ZMQError, match="in use"):
        Feed(context, f"tcp://127.0.0.1:{port}")
    first.close()


def test_a_slow_subscriber_blocks_nobody(context: Any, tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/feed"
    feed = Feed(context, endpoint)
    slow = subscriber(context, endpoint, feed)
    first = feed.seq
    total = 3 * QUEUE
    for _ in range(total):
        feed.append({"filler": "x" * 500})
    assert feed.seq == first + total
    got = []
    while slow.poll(500):
        got.append(json.loads(slow.recv())["flowtap"]["seq"])
    assert got == sorted(got)
    assert 0 < len(got) < total
    slow.close()
    feed.close()


def test_lines_are_appended_and_the_file_is_reopened(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(b"old\n")
    file = EventFile(str(path))
    file.write([b"1\n", b"2\n"], 0)
    path.rename(tmp_path / "moved")
    file.write([b"3\n"], 0)
    assert file.reopen()
    file.write([b"4\n"], 0)
    path.write_bytes(b"")  # copied and truncated by whoever rotates
    file.write([b"5\n"], 0)
    file.close()
    assert (tmp_path / "moved").read_bytes() == b"old\n1\n2\n3\n"
    assert path.read_bytes() == b"5\n"
    assert (file.written, file.dropped) == (5, 0)
    assert path.stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"new\n"),
        (b"a\nb\n", b"a\nb\nnew\n"),
        (b'a\n{"half', b"a\nnew\n"),
        (b'{"half', b"new\n"),
        (b"x" * (2 << 20), b"x" * (2 << 20) + b"\nnew\n"),
    ],
)
def test_a_half_line_of_a_killed_process_is_removed(before: bytes, after: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(before)
    file = EventFile(str(path))
    file.write([b"new\n"], 0)
    file.close()
    assert path.read_bytes() == after


def test_what_is_no_file_is_said_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "events"
    path.mkdir()
    file = EventFile(str(path))
    with caplog.at_level(logging.WARNING):
        for now in range(0, 5 * SECOND, SECOND // 4):
            file.write([b"1\n"], now)
        path.rmdir()
        os.mkfifo(path)
        file.write([b"1\n"], 6 * SECOND)
        path.unlink()
        file.write([b"2\n"], 6 * SECOND)  # too early
        file.write([b"3\n"], 7 * SECOND)
    file.close()
    assert path.read_bytes() == b"3\n"
    assert (file.written, file.dropped) == (1, 22)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: Is a directory; events go on, without this file",
        f"{path}: not a regular file; events go on, without this file",
        f"{path}: can be written again; 22 events are missing so far",
    ]


@pytest.mark.live
def test_a_full_disk_costs_events_that_are_counted_and_leaves_whole_lines(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], check=True, timeout=10)
    try:
        file = EventFile(str(disk / "events"))
        lines = [b"%06d%s\n" % (n, b"x" * 1000) for n in range(100)]
        for start in range(0, 100, 10):
            file.write(lines[start : start + 10], start * SECOND)
        assert (disk / "events").stat().st_size <= 65536
        assert file.written + file.dropped == 100
        assert file.dropped > 30
        kept = (disk / "events").read_bytes().splitlines(keepends=True)
        assert kept == lines[: len(kept)]
        assert len(kept) == file.written
        (disk / "events").unlink()
        assert file.reopen()
        file.write([b"again\n"], 100 * SECOND)
        assert (disk / "events").read_bytes() == b"again\n"
        assert file.written == len(kept) + 1
        file.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True, timeout=10)
