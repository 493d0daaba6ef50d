# SPDX-License-Identifier: LGPL-2.1-or-later
"""All benchmarks in one run: `python -m bench [--quick]` prints one JSON document on standard output."""

from __future__ import annotations

import argparse
import json
import platform
import time

from bench import engine, read


def main() -> None:
    """Measure the engine, then the programs, and print the document."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without the million flows and nfstream")
    quick = parser.parse_args().quick
    document = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": platform.platform()}
    flows = ["--flows", "1000,100000", "--rounds", "2"] if quick else []
    programs = ["--programs", "flowtap,tcpdump,p0f,softflowd", "--rounds", "2"] if quick else []
    print(json.dumps(document | {"engine": engine.main(flows), **read.main(programs)}, indent=2))


if __name__ == "__main__":
    main()
