# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fuzzes the readers of capture files: pcap, pcapng, and compressed ones, through open_capture itself.

Input: one byte of options, one for the batch's capacity, then the file. Besides memory errors (the extensions are
built with the address sanitizer) it checks that the ledger closes, that nothing but CaptureError and FilterError is
raised, and that neither the size of the batch nor that of the buffer changes what is read.
"""

import os
import sys

import atheris

with atheris.instrument_imports(include=["capture"]):
    import capture.files
    from capture import Batch, CaptureError, FilterError, open_capture

KEY = bytes(range(64))
MEMORY = os.memfd_create("capture")


def read(capacity: int, chunk: int, decap: bool, expression: str | None) -> tuple[bytes, dict[str, int], str]:
    """Read the file in MEMORY; return all records and tags, the counters, and the error's text."""
    capture.files.CHUNK = chunk
    batch = Batch(capacity)
    records, tags = bytearray(), bytearray()
    with open_capture(f"/proc/self/fd/{MEMORY}", key=KEY, decap=decap, filter=expression) as reader:
        text = ""
        try:
            while (count := reader.read(batch)) >= 0:
                records += memoryview(batch.records)[: count * 64]
                tags += memoryview(batch.tags)[: count * 8]
        except (CaptureError, FilterError) as error:
            text = str(error)
        counters = reader.counters()
    if counters["packets"] != sum(v for k, v in counters.items() if k not in ("packets", "bytes")):
        raise AssertionError(f"the ledger does not close: {counters}")
    if counters["record"] != len(records) // 64:
        raise AssertionError(f"{len(records)} bytes of {counters['record']} records")
    return bytes(records + tags), counters, text


def one_input(data: bytes) -> None:
    """Read one file twice, in different pieces."""
    if len(data) < 2:
        return
    os.ftruncate(MEMORY, 0)
    os.pwrite(MEMORY, data[2:], 0)
    decap, expression = bool(data[0] & 1), "tcp or vlan" if data[0] & 14 == 2 else None
    whole = read(256, 65536, decap, expression)
    pieces = read(1 + data[1] % 16, 1 + data[0] * 8, decap, expression)
    if whole != pieces:
        raise AssertionError(f"read in pieces, the same file is another: {whole[1:]} {pieces[1:]}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
