# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiled extensions; all other metadata is in setup.cfg."""

from Cython.Build import cythonize
from setuptools import Extension, setup

CFLAGS = ["-O3", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Ibpf"]

setup(
    ext_modules=cythonize(
        [
            Extension("engine.where", ["engine/where.pyx"], extra_compile_args=CFLAGS),
        ],
        language_level=3,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "embedsignature": True,
        },
    )
)
