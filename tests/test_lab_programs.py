# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.programs`: tables of what was found by program."""

import csv
from pathlib import Path
from typing import Any

import pytest

from lab.programs import BY, Row, server, table

CAPTURES = Path(__file__).parent / "captures"


def seen(labels: dict[str, int | None], **found: int) -> dict[str, Any]:
    return {"labels": labels, "found": {name.replace("_", "."): count for name, count in found.items()}}


def test_cells() -> None:
    row = Row()
    for flow in (
        seen({"a": None, "human.password": None}, a=1, human_typing=1),
        seen({"a": None, "automated.password": None}, human_password=1, automated_password=1),
        seen({"ssh.auth.failure": 2}, a_b=1, ssh_auth_failure=2),
        seen({"ssh.auth.failure": 2}, ssh_auth_failure=1),
    ):
        row.add(flow, ["a", "ssh.auth.failure", "x"])
    assert {name: str(cell) for name, cell in row.cells.items()} == {
        "a": "1 of 2, 1 false", "ssh.auth.failure": "2 of 2", "x": "-", "count": "1 of 2", "who": "1 of 2, 1 false",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("capture", "expected"),
    [
        ("ssh-012-deb12-banner-40ms-v6-gro.pcap", "deb12-banner"),
        ("ssh-003-deb12-banner-160ms-v4-gro.pcap.gz", "deb12-banner"),
        ("ssh-000-go-0ms-v4.pcap", "go"),
    ],
)
def test_server(capture: str, expected: str) -> None:
    assert server(capture) == expected


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures in {CAPTURES}")
def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain.pcap.gz").write_bytes((CAPTURES / "plain.pcap.gz").read_bytes())
    text = (CAPTURES / "plain.labels.csv").read_text()
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(FileNotFoundError, match=r"flows\.csv"):
        list(table([tmp_path], BY["session"], []))
    rows = list(csv.DictReader(text.splitlines()))
    places = [[r["capture"], r["client_ip"], r["client_port"], r["server_ip"], r["server_port"], "all"] for r in rows]
    with (tmp_path / "flows.csv").open("w", newline="") as file:
        csv.writer(file).writerows(places)
    monkeypatch.setenv("PYTHONPATH", str(CAPTURES.parent.parent))
    lines = list(table([tmp_path], BY["session"], ["automated.lines", "human.lines", "ssh.auth.success"]))
    assert lines[0] == "| | flows | automated.lines | human.lines | who |"
    assert len(lines) == 3 and lines[2].startswith(f"| all | {len(rows)} | ")
