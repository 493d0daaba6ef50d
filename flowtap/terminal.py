# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a command says: results on standard output, line by line, and failures on standard error.

Commands whose output is long, or a stream of its own, write to a flowtap.output.Output instead.
"""

from __future__ import annotations

import os
import sys
from typing import TypeVar

import click

OUTPUT = 3  # exit codes, as those of `flowtap read`
BROKEN_PIPE = 141

Code = TypeVar("Code", bound=int)


def say(text: str) -> None:
    """Print `text` as a line; ends with OUTPUT when it cannot be written, with BROKEN_PIPE when its reader has gone."""
    try:
        click.echo(text)
    except OSError as error:
        # Python would try to write it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(BROKEN_PIPE) from None
        raise SystemExit(fail(f"standard output: {error.strerror}", OUTPUT)) from None


def fail(message: str, code: Code) -> Code:
    """Print `message` on standard error, each line marked as flowtap's, and return `code`."""
    for line in message.splitlines():
        print(f"flowtap: {line}", file=sys.stderr)
    return code
