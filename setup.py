# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiled extensions; all other metadata is in setup.cfg."""

from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

CFLAGS = ["-O3", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Ibpf"]
HEADERS = sorted(glob("bpf/*.h"))

setup(
    ext_modules=cythonize(
        [
            Extension("capture._filter", ["capture/_filter.pyx"], extra_compile_args=CFLAGS, libraries=["pcap"]),
            Extension(
                "capture._packet",
                ["capture/_packet.pyx"],
                extra_compile_args=CFLAGS,
                libraries=["pcap"],
                depends=HEADERS,
            ),
            Extension("capture._walk", ["capture/_walk.pyx"], extra_compile_args=CFLAGS, depends=HEADERS),
            Extension("capture._pcap", ["capture/_pcap.pyx"], extra_compile_args=CFLAGS, depends=HEADERS),
            Extension("capture._pcapng", ["capture/_pcapng.pyx"], extra_compile_args=CFLAGS, depends=HEADERS),
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
