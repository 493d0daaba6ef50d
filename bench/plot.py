# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draw a benchmark's document: `python -m bench.plot RESULT.json PICTURE` (any format that matplotlib writes)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt  # type: ignore[import-not-found,unused-ignore]


def plot(document: dict[str, Any], picture: Path) -> None:
    """Draw records per second over signatures, a line per number of flows; beside it the time of each program."""
    _, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    rows = document["engine"]["speed"]
    for flows in sorted({row["flows"] for row in rows}):
        own = [row for row in rows if row["flows"] == flows]
        rates = [row["best"] / 1e6 for row in own]
        left.plot([row["signatures"] for row in own], rates, "o-", label=f"{flows:,} flows")
    left.set(xscale="log", xlabel="signatures", ylabel="million records per second, one core", ylim=(0, None))
    left.legend()
    captures = document["read"]
    programs = list(captures[0]["programs"])
    for number, capture in enumerate(captures):
        places = [place + 0.8 * number / len(captures) for place in range(len(programs))]
        walls = [capture["programs"].get(program, {}).get("wall_min", 0) for program in programs]
        right.bar(places, walls, 0.8 / len(captures), align="edge", label=capture["capture"])
    right.set(yscale="log", ylabel="seconds, fastest round")
    right.set_xticks([place + 0.4 for place in range(len(programs))], programs)
    right.legend()
    plt.savefig(picture)


if __name__ == "__main__":
    plot(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
