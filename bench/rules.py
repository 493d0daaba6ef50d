# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules over several flows under a flood of sources: memory that stays bounded, what is forgotten, time per alert.

`python -m bench.rules [--alerts N]`; prints JSON. Each alert is a refused password of another client, given to the
rules that ship as the collector gives it. A slow guesser in between makes one of its ten attempts now and then: it is
found as long as fewer other clients than there is room for come between two of them.
"""

from __future__ import annotations

import argparse
import json
import time
from ipaddress import ip_address
from typing import Any

from bench.engine import resident
from engine.events import timestamp
from engine.rules import Rules
from sigdb import read, shipped

START_NS = 1_700_000_000 * 10**9
GUESSER = "192.0.2.1"


def alert(number: int, client: str, at_ns: int) -> dict[str, Any]:
    """Return an alert as it comes from a worker, with what the rules look at."""
    return {
        "event_type": "alert",
        "timestamp": timestamp(at_ns),
        "flow_id": number,
        "src_ip": client,
        "dest_ip": "198.51.100.1",
        "dest_port": 22,
        "flowtap": {"id": "ssh.auth.failure", "hits": 1, "verdict": "match", "confidence": 100},
    }


def flood(alerts: int, seconds: float, every: int) -> dict[str, Any]:
    """Give so many alerts of as many clients within `seconds` of their time, each `every`th one of the guesser."""
    rules = Rules(*read(shipped()))
    memory, spent, found = [resident()], 0, 0
    for number in range(alerts):
        client = GUESSER if number % every == 0 else str(ip_address(0x0A00_0000 + number))
        one = alert(number, client, START_NS + round(number * seconds / alerts * 1e9))
        begin = time.process_time_ns()
        published = rules.take(one)
        spent += time.process_time_ns() - begin
        found += sum(event["flowtap"]["id"] == "ssh.bruteforce" for event in published)
        if number + 1 in (alerts // 8, alerts // 4, alerts // 2, alerts):
            memory.append(resident())
    return {
        "alerts": alerts,
        "guesser_each": every,
        "guesser_found": found,
        "ns_per_alert": round(spent / alerts),
        "grew_by_bytes_after_eighth_quarter_half_all": [value - memory[0] for value in memory[1:]],
        **rules.counters,
    }


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("--alerts", type=int, default=400_000)
    parser.add_argument("--seconds", type=float, default=50.0, help="of the alerts' time")
    options = parser.parse_args()
    print(json.dumps([flood(options.alerts, options.seconds, every) for every in (20_000, 40_000)], indent=2))


if __name__ == "__main__":
    main()
