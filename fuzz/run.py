# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the fuzz targets, each for a given time: `python fuzz/run.py SECONDS [TARGET...]`.

A target is a file of this folder. A C file is a libFuzzer target and is built by clang. A Python file is an atheris
target; it runs against extensions that are built here with the address sanitizer, which are not those of the
working tree. Seeds come from seeds.py, the corpus grows in build/fuzz/corpus, inputs that fail are written to
fuzz-out/. The exit code is 0 when every target ran its time without a finding, else 1; what cannot be built or begun
is reported like a finding.

Needs clang (CLANG names it, default clang-14) and, for Python targets, the atheris package.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from seeds import SEEDS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build" / "fuzz"
OUT = ROOT / "fuzz-out"
CLANG = os.environ.get("CLANG", "clang-14")
GRACE = 120  # seconds a target may take beyond its time, to begin and to end
NO_TARGETS = {"run", "seeds"}


def targets() -> dict[str, Path]:
    """Name every target of this folder."""
    files = [*HERE.glob("*.c"), *HERE.glob("*.py")]
    return {file.stem: file for file in sorted(files) if file.stem not in NO_TARGETS}


def build_c(source: Path) -> list[str]:
    """Build a libFuzzer target; return the command that runs it."""
    program = BUILD / source.stem
    sanitize = "-fsanitize=fuzzer,address,undefined"
    command = [CLANG, "-g", "-O1", "-Ibpf", sanitize, "-fno-sanitize-recover=all", str(source), "-o", str(program)]
    subprocess.run(command, cwd=ROOT, check=True)
    return [str(program)]


def build_extensions() -> Path:
    """Build our packages with the address sanitizer and coverage; return where to import them from."""
    library = BUILD / "lib"
    flags = "-fsanitize=address,fuzzer-no-link -g -O1 -fno-omit-frame-pointer"
    environment = {**os.environ, "CC": CLANG, "LDSHARED": f"{CLANG} -shared", "CFLAGS": flags, "LDFLAGS": ""}
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "build",
        "--build-base",
        str(BUILD / "py"),
        "--build-lib",
        str(library),
    ]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return library


def python_command(source: Path, library: Path) -> tuple[list[str], dict[str, str]]:
    """Return command and environment that run an atheris target."""
    import atheris  # noqa: PLC0415

    runtime = Path(atheris.path()) / "asan_with_fuzzer.so"
    return [sys.executable, str(source)], {"LD_PRELOAD": str(runtime), "PYTHONPATH": str(library)}


def run(name: str, command: list[str], environment: dict[str, str], seconds: int) -> bool:
    """Run one target; whether it found nothing."""
    corpus = BUILD / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS[name]() if name in SEEDS else ():
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    limits = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    options = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1", **environment}
    print(f"== {name}: {seconds} s", flush=True)
    try:
        done = subprocess.run(
            [*command, *limits, f"-artifact_prefix={OUT}/{name}-", str(corpus)],
            cwd=BUILD,
            env={**os.environ, **options},
            timeout=seconds + GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{name}: did not end {GRACE} s after its time", file=sys.stderr)
        return False
    return done.returncode == 0


def main() -> int:
    """Run what the command line asks for."""
    known = targets()
    parser = argparse.ArgumentParser(description="Fuzz flowtap's parsers.")
    parser.add_argument("seconds", type=int, help="time for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(known)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(known)
    if arguments.seconds < 1 or unknown:
        parser.error(f"unknown target {', '.join(sorted(unknown))}" if unknown else "seconds must be at least 1")
    if shutil.which(CLANG) is None:
        parser.error(f"{CLANG} is not installed; CLANG may name another clang")
    BUILD.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(exist_ok=True)
    library: Path | None = None
    failed = []
    for name in arguments.targets or known:
        source = known[name]
        try:
            if source.suffix == ".c":
                command, environment = build_c(source), dict[str, str]()
            else:
                library = library or build_extensions()
                command, environment = python_command(source, library)
        except subprocess.CalledProcessError as error:
            print(f"{name}: cannot be built: {error}", file=sys.stderr)
            failed.append(name)
            continue
        if not run(name, command, environment, arguments.seconds):
            failed.append(name)
    print(f"findings in: {', '.join(failed)}; inputs in {OUT}" if failed else "no findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
