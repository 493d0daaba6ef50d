# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bpf(2) system call: maps and programs by file descriptor, by id and by name in the BPF file system.

Every function raises OSError as the kernel says.
"""

from typing_extensions import Buffer

def create_map(kind: int, key_size: int, value_size: int, entries: int, name: str) -> int:
    """Return the file descriptor of a new map (`kind`: BPF_MAP_TYPE_* in linux/bpf.h)."""

def load_program(kind: int, instructions: Buffer, name: str, log: bytearray | None = None) -> int:
    """Return the file descriptor of a program (`kind`: BPF_PROG_TYPE_*); the verifier's words go into `log`."""

def map_lookup(fd: int, key: Buffer, value: bytearray) -> None:
    """Read an element; a per-CPU map fills the values of all possible CPUs, each rounded up to 8 bytes."""

def map_update(fd: int, key: Buffer, value: Buffer) -> None:
    """Write an element; all possible CPUs' values in a per-CPU map."""

def map_delete(fd: int, key: Buffer) -> None: ...
def map_info(fd: int) -> tuple[int, int, int, int, str]:
    """Return a map's kind, size of a key, size of a value (one CPU's), entries and name."""

def program_info(fd: int) -> tuple[int, str, list[int]]:
    """Return a program's id, name, and the ids of its maps."""

def run_on(fd: int, cpu: int) -> None:
    """Run a raw tracepoint program once on a CPU; on another than the present one with interrupts off."""

def present_cpu() -> int:
    """Return the CPU that this thread runs on."""

def program_by_id(number: int) -> int:
    """Return a file descriptor; needs CAP_SYS_ADMIN."""

def map_by_id(number: int) -> int:
    """Return a file descriptor; needs CAP_SYS_ADMIN."""

def pin(fd: int, path: str) -> None:
    """Give a map or program a name in the BPF file system."""

def pinned(path: str) -> int:
    """Return a file descriptor of what has this name in the BPF file system."""
