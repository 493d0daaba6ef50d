# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fuzz target: any bytes as a signature file give a Program or SignatureErrors, nothing else, and what loads is usable.

Run by hand: python fuzz/signature_parser.py -max_total_time=60 CORPUS. Wants atheris.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

with atheris.instrument_imports(include=["sigdb"]):
    import sigdb
    from sigdb import example, explain
    from sigdb.expand import MAX_ELEMENTS

# Whole lines and tokens: bytes alone rarely reach the compiler.
DICTIONARY = (
    "tcp * ", "udp 53 ", "icmp ", "= ", "< ", " >", " : d\n", " where ", "c1 ", "s48/15 ", "x* ", "C1500 ", "S@1+2/3 ",
    "c@1 ", "#a", "@a", "+ ", "+2s ", "+60ms-2s ", "~ ", "... ", "( ", " | ", " )", "{2}", "{0,3}", "{1,}", "{1000}",
    "bytes > 10k ", "c.rtt < 3ms ", " and ", " or ", "not ", "\n    id = a.b\n", "\n    severity = 1\n",
    "\nlet A = ", "\nlet B = ", "$A ", "$B ", ",7/0", ",@a+1", "!9-12", "!@a", "#b", "c@b ", " > | ",
    "\nlet A(x, y) = ", "$A(", ", ", "$x ", "c$x+2", "$x", "(~ | > )", '\ninclude "fl0p.fp"\n',
)  # fmt: skip


def one_input(data: bytes) -> None:
    """Load a file of these bytes; tokens are drawn from DICTIONARY where a byte is below 96."""
    if data[:1] < b"\x80":
        data = b"".join(DICTIONARY[b % len(DICTIONARY)].encode() if b < 96 else bytes((b,)) for b in data[1:400])
    else:
        data = data[1:]
    try:
        program = sigdb.loads(data)
    except sigdb.SignatureErrors as wrong:
        for error in wrong.errors:
            assert "; expected " in error.message, error
        return
    for stream in (program.packets, program.turns):
        assert len(stream.follow_start) == len(stream) + 1
        assert all(target < len(stream) for target in stream.follow)
        assert all(first <= last for first, last in zip(stream.size_first, stream.size_last, strict=True))
        assert all(first <= last for first, last in zip(stream.pause_first, stream.pause_last, strict=True))
    for signature in program.signatures[:3]:
        explain.sentences(signature)
        packets = example.find(signature)
        if packets is not None and len(packets) <= MAX_ELEMENTS:
            sigdb.loads(f"{signature.protocol} * = {example.shape(signature, packets)} : again")


def main() -> None:
    """Fuzz until libFuzzer's limits."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
