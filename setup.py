# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiled extensions; all other metadata is in setup.cfg. Those of bench/ are built in place, never installed.

FLOWTAP_STRICT=1 compiles all anew and makes every warning of Cython and of the C compiler an error; `make test`
builds so.
"""

import os
import sys
from glob import glob

from Cython.Build import cythonize
from Cython.Compiler import Options
from setuptools import Extension, setup

JOBS = os.cpu_count() or 1
STRICT = os.environ.get("FLOWTAP_STRICT") == "1"
HEADERS = sorted(glob("bpf/*.h"))
CFLAGS = ["-O3", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-sign-compare"]
CFLAGS += ["-fno-strict-aliasing", "-Ibpf"]
CAPTURE = ("_bpf", "_filter", "_message", "_packet", "_parcel", "_pcap")
CAPTURE += ("_pcapng", "_perf", "_ring", "_stream", "_walk")
ENGINE = ("arrays", "automaton", "conditions", "counters", "exact", "fingerprint")
ENGINE += ("fingerprint_facts", "fingerprint_match", "lifecycle", "loading", "lookup", "loop")
ENGINE += ("handshakes", "losses", "matching", "merge", "positions", "report", "streams", "table", "tcp", "threads")
ENGINE += ("where", "window")
BENCH = () if "bdist_wheel" in sys.argv else ("_flood",)
LIBRARIES = {"_filter": ["pcap"], "_packet": ["pcap"]}

if STRICT:
    CFLAGS += ["-Werror"]
    Options.warning_errors = True


def extension(package: str, name: str) -> Extension:
    """Return the extension of one .pyx file."""
    return Extension(
        f"{package}.{name}",
        [f"{package}/{name}.pyx"],
        extra_compile_args=CFLAGS,
        libraries=LIBRARIES.get(name, []),
        depends=HEADERS,
    )


setup(
    ext_modules=cythonize(
        [extension("capture", name) for name in CAPTURE]
        + [extension("engine", name) for name in ENGINE]
        + [extension("bench", name) for name in BENCH],
        language_level=3,
        nthreads=JOBS,
        force=STRICT,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "embedsignature": True,
        },
    ),
    options={"build_ext": {"parallel": JOBS, "force": STRICT}},
)
