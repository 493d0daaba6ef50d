# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which arguments name captures and which are the filter expression, and which files a signature option means."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

# What a capture is called. A word of this form is never taken for a filter, so that a file which is missing is
# reported as that, and libpcap is not asked to look up a host of its name.
_CAPTURE_NAME = re.compile(
    r"(?:\.{0,2}/|~).*|.*\.(?:pcap|pcapng|cap|dmp|dump|trace|trc|ntar|snoop|erf|gz|xz|zst|zstd|lzma|bz2)\d*", re.DOTALL
)


class ArgumentError(ValueError):
    """The arguments cannot be understood; the text says what was expected."""


def split_arguments(
    arguments: Sequence[str], check_filter: Callable[[str], str | None]
) -> tuple[list[str], str | None]:
    """Return the capture files among `arguments` and the filter expression that the remaining words make, if any.

    Files come first: `-`, whatever exists, and what is called like a capture even if it does not exist. From the first
    other word on, all words joined by blanks are a filter expression. `check_filter` returns what is wrong with an
    expression, None when nothing is. Raises ArgumentError.
    """
    count = 0
    while count < len(arguments) and _is_file(arguments[count]):
        count += 1
    files, rest = list(arguments[:count]), list(arguments[count:])
    if not rest:
        return files, None
    expression = " ".join(rest)
    if os.path.isdir(rest[0]) and len(rest) == 1 and check_filter(expression) is not None:
        raise ArgumentError(f"{rest[0]}: is a directory, expected a capture file")
    if not files:
        raise ArgumentError(f"{rest[0]}: no such file (captures come before the filter expression)")
    wrong = check_filter(expression)
    if wrong is not None:
        raise ArgumentError(f"{expression!r}: no such file, and as a filter expression: {wrong}")
    return files, expression


def _is_file(word: str) -> bool:
    if word == "-" or _CAPTURE_NAME.fullmatch(word):
        return True
    return os.path.exists(word) and not os.path.isdir(word)


def signature_files(paths: Sequence[str]) -> list[str]:
    """Return the files that `paths` mean: a directory stands for its `*.fp` files, in order of name.

    Raises ArgumentError for a path that does not exist and for a directory without such files.
    """
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found = sorted(str(entry) for entry in Path(path).glob("*.fp"))
            if not found:
                raise ArgumentError(f"{path}: the directory holds no *.fp file")
            files += found
        elif os.path.exists(path):
            files.append(path)
        else:
            raise ArgumentError(f"{path}: no such file")
    return files
