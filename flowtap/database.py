# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signature database that options or settings mean, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowtap.arguments import ArgumentError, signature_files

if TYPE_CHECKING:
    from engine.rules import Rules
    from sigdb import Program, TcpDatabase


def load_database(paths: Sequence[str], *, pause_ms: int, exact: bool) -> Program:
    """Compile signature files and directories of such; none: those that are shipped.

    Raises ArgumentError with all mistakes, one a line.
    """
    from sigdb import SignatureErrors, load, shipped

    files = signature_files(paths) if paths else shipped()
    try:
        return load(files, threshold_us=pause_ms * 1000, fuzzy=not exact, cached=True)
    except SignatureErrors as errors:
        raise ArgumentError("\n".join(map(str, errors.errors))) from errors
    except ValueError as error:  # a threshold that has too many digits for a think time
        raise ArgumentError(f"a pause of {pause_ms} ms: {error}") from error


def load_rules(paths: Sequence[str]) -> Rules:
    """Return the rules over several flows of signature files and directories of such; none: of those that are shipped.

    Raises ArgumentError with all mistakes, one a line.
    """
    from engine.rules import Rules
    from sigdb import SignatureErrors, read, shipped

    try:
        return Rules(*read(signature_files(paths) if paths else shipped(), cached=True))
    except SignatureErrors as errors:
        raise ArgumentError("\n".join(map(str, errors.errors))) from errors


def load_fingerprints(paths: Sequence[str]) -> TcpDatabase:
    """Read databases of TCP fingerprints, and directories of such; none: those that are shipped.

    Raises ArgumentError with all mistakes, one a line.
    """
    from sigdb import SignatureErrors, load_tcp, shipped_tcp

    try:
        return load_tcp(signature_files(paths) if paths else shipped_tcp())
    except SignatureErrors as errors:
        raise ArgumentError("\n".join(map(str, errors.errors))) from errors
