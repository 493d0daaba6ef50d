# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiled extensions; all other metadata is in setup.cfg.

FLOWTAP_STRICT=1 compiles everything anew with every warning an error: Cython's and the compiler's. `make test` does.
"""

import os
from glob import glob

from Cython.Build import cythonize
from Cython.Compiler import Options
from setuptools import Extension, setup

JOBS = os.cpu_count() or 1
STRICT = os.environ.get("FLOWTAP_STRICT") == "1"
CFLAGS = [
    "-O3",
    "-g0",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-unused-function",
    "-fno-strict-aliasing",
    "-Ibpf",
]
if STRICT:
    CFLAGS.append("-Werror")
    Options.warning_errors = True

# Module: the libraries it is linked with.
MODULES: dict[str, list[str]] = {
    "capture._filter": ["pcap"],
    "capture._packet": ["pcap"],
    "capture._walk": [],
    "capture._pcap": [],
    "capture._pcapng": [],
    "engine.automaton": [],
    "engine.counters": [],
    "engine.exact": [],
    "engine.lifecycle": [],
    "engine.loop": [],
    "engine.matching": [],
    "engine.report": [],
    "engine.table": [],
    "engine.tcp": [],
    "engine.where": [],
}
HEADERS = sorted(glob("bpf/*.h"))

setup(
    ext_modules=cythonize(
        [
            Extension(
                name,
                [name.replace(".", "/") + ".pyx"],
                extra_compile_args=CFLAGS,
                libraries=libraries,
                depends=HEADERS,
            )
            for name, libraries in MODULES.items()
        ],
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
    options={"build_ext": {"parallel": JOBS}},
)
