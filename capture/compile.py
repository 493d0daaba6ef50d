# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiles bpf/flowtap.c with bcc: `python -m capture.compile FLAG...` writes the programs to standard output.

This runs in a process of its own (capture.program starts it): the compiler takes 100 MB that a capture process would
never give back, and writes its errors to standard error in pieces.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

import msgpack

from capture import _bpf

SOURCES = Path(__file__).resolve().parent.parent / "bpf"
PROGRAMS = ("flowtap", "flowtap_flush", "flowtap_nudge")
MAPS = (
    *("flowtap_state", "batches", "handshakes", "expected", "cutoffs", "ports"),
    *("interfaces", "ticks", "events"),
)
LOAD_MAP = 0x18, 1  # ld_imm64 with src_reg BPF_PSEUDO_MAP_FD, which is the upper half of the second byte


def compile_programs(flags: list[str]) -> bytes:
    """Return the maps and programs as msgpack: {"maps": [[name, kind, key, value, entries]], "programs": ...}.

    Each program is [instructions, [[number of an instruction, number of the map it loads]]].
    """
    from bcc import BPF, lib  # type: ignore[import-untyped]  # noqa: PLC0415 - whoever reads the names has no bcc

    os.environ["BCC_KERNEL_SOURCE"] = str(SOURCES / "shim")
    bpf = BPF(src_file=str(SOURCES / "flowtap.c").encode(), cflags=[f"-I{SOURCES}", "-w", *flags])
    descriptors = [lib.bpf_table_fd(bpf.module, name.encode()) for name in MAPS]
    maps = [[name, *_bpf.map_info(fd)[:4]] for name, fd in zip(MAPS, descriptors, strict=True)]
    programs = {}
    for name in PROGRAMS:
        start, size = (f(bpf.module, name.encode()) for f in (lib.bpf_function_start, lib.bpf_function_size))
        code = ctypes.string_at(start, size)
        uses = []
        for number in range(size // 8):
            operation, registers, _, descriptor = struct.unpack_from("=BBhi", code, number * 8)
            if (operation, registers >> 4) == LOAD_MAP:
                uses.append([number, descriptors.index(descriptor)])
        programs[name] = [code, uses]
    return bytes(msgpack.packb({"maps": maps, "programs": programs}))


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(compile_programs(sys.argv[1:]))
    except ImportError as missing:
        sys.exit(f"error: bcc cannot be imported: {missing} (Debian: install python3-bpfcc)")
