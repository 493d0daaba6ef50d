# SPDX-License-Identifier: LGPL-2.1-or-later
"""The size rule that ours are compared with: what it says of logins made of segments, and of recorded ones."""

from pathlib import Path

import pytest

from bench.size_rule import Login, Segment, measure, segments

LABELLED = Path(__file__).parent / "captures" / "labelled"
KEYS = b"\0\0\0\x0c\x0a\x15"


@pytest.mark.parametrize(
    ("flow", "expected"),
    [  # client's segments are c, K: its NEWKEYS; success, failures
        ("c21 s41 c1500 s1000 c48 s500 K16 c44 s44 c60 s52 c84 s28", (True, 0)),
        ("c21 s41 c1500 s1000 c48 s500 K60 s44 c60 s52 c84 s52 c84 s52", (False, 2)),  # NEWKEYS with the request
        ("c21 s41 c1500 s1000 c48 s500 K16 c44 s44 c60 s28 s52 s52", (True, 0)),  # nothing after the success counts
        ("c21 s41 c1500 s1000 c48 s500", (False, 0)),
        ("K16 s44 s28", (False, 0)),  # nothing encrypted came from the client
    ],
)
def test_rule(flow: str, expected: tuple[bool, int]) -> None:
    login = Login()
    for word in flow.split():
        length = int(word[1:])
        if word[0] == "s":
            login.server(length)
        else:
            head = KEYS if word[0] == "K" else b"\x99" * 8
            login.client(Segment((bytes(16), 1), (bytes(16), 22), 0, length, head))
    assert (login.success, login.failures) == expected


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(b"\n\r\r\n" + bytes(40))
    with pytest.raises(ValueError, match="expected a little-endian pcap file"):
        list(segments(tmp_path / "a.pcap"))


@pytest.mark.skipif(not LABELLED.is_dir(), reason=f"no captures in {LABELLED}")
def test_recorded_logins() -> None:
    result = measure(str(LABELLED / "ssh.csv"), [str(path) for path in sorted(LABELLED.glob("ssh-*.pcap.gz"))])
    assert result["flows"] > 200
    assert result["success"]["precision"]["value"] > 0.97 and result["success"]["recall"]["value"] > 0.7
    assert result["failure"]["recall"]["value"] > 0.7
