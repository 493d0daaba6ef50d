# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few flows of everything that the lab's web played (lab/websample.py): no signature finds what is not there."""

import csv
from collections import Counter
from pathlib import Path

import orjson

from tests.conftest import Command

FOLDER = Path(__file__).parent / "captures" / "innocent"
KNOWN = set[tuple[str, str]]()


def test_nothing_is_found_in_innocent_flows(flowtap: Command) -> None:
    with (FOLDER / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    played = {(row["capture"], row["client_port"]): row["played"] for row in rows}
    captures = sorted(map(str, FOLDER.glob("*.pcap.gz")))
    result = flowtap("eval", str(FOLDER / "labels.csv"), *captures, "--alarms", "--json", "-q")
    assert result.returncode == 0, result.stderr
    document = orjson.loads(result.stdout)
    alarms = []
    for one in document["wrong"]:
        port = one["flow"].partition(" -> ")[0].rpartition(":")[2]
        name = played[Path(one["capture"]).name, port].partition("/")[0]
        alarms += [
            (found, name, one["shape"])
            for found in one["found"]
            if (found, name) not in KNOWN and found in one["false"]
        ]
    assert not alarms, "\n".join(map(str, alarms))
    assert min(one["flows"] for one in document["alarms"]) > 550


def test_the_sample_is_diverse() -> None:
    with (FOLDER / "labels.csv").open(newline="") as lines:
        names = [row["played"].split("/") for row in csv.DictReader(lines)]
    for place, least in enumerate((40, 40, 25, 8)):  # applications and roles, clients, servers, ways of TLS
        assert len(Counter(name[place] for name in names)) >= least
