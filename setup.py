# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiled extensions; all other metadata is in setup.cfg.

FLOWTAP_STRICT=1 compiles everything anew with every warning an error: Cython's and the compiler's. `make test` does.
"""

import os

from Cython.Build import cythonize
from Cython.Compiler import Options
from setuptools import Extension, setup

STRICT = os.environ.get("FLOWTAP_STRICT") == "1"
CFLAGS = ["-O3", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Ibpf"]
if STRICT:
    CFLAGS.append("-Werror")
    Options.warning_errors = True

EXTENSIONS: list[Extension] = []

setup(
    ext_modules=cythonize(
        EXTENSIONS,
        language_level=3,
        force=STRICT,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "embedsignature": True,
        },
    )
)
