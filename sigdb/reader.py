# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads signature files: lines, comments, attributes and ids; collects every mistake of a file, one per line.

A file is UTF-8 text, with or without byte order mark, lines ended by LF or CRLF. A line that begins with a blank
belongs to the signature above it; `#` after blanks begins a comment; empty lines are skipped. A line `let NAME = ...`
defines what later lines of the file use; a line `include "NAME.fp"` takes over what another file defines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sigdb import includes, parse, rule
from sigdb.check import check
from sigdb.definitions import Definitions, is_definition
from sigdb.errors import Mistake, SignatureError, quote, suggest
from sigdb.nodes import SEVERITIES, Chain, Rule, Signature, Suppress, Threshold
from sigdb.tokens import number

MAX_FILE = 64 * 1024 * 1024
MAX_LINE = 65_536
MAX_FILES = 1_000  # of one load
MAX_ERRORS = 1_000  # per file; one more says that there are more

_COMMON = ("id", "severity", "attack", "category", "rev", "reference", "note", "confidence")
ATTRIBUTES = (*_COMMON, "threshold", "suppress")  # of a signature
RULE_ATTRIBUTES = (*_COMMON, "sequence", "suppress")  # of a rule
_ATTRIBUTE = re.compile(r"[ \t]+([^ \t=]+)[ \t]*(=)?[ \t]*(.*)")
_ID = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
Value = str | int | tuple[str, ...] | Threshold | Suppress | Chain
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class File:
    """The signatures and the mistakes of one file; a signature without `id` has an empty one still."""

    def __init__(self, name: str, library: Library | None = None) -> None:
        self.name = name
        self.definitions = Definitions()
        self.reading = True
        self._library = library or Library()
        self.signatures: list[Signature | Rule] = []
        self.errors: list[SignatureError] = []
        self._open: Signature | Rule | None = None
        self._header_seen = False
        self._values: dict[str, Any] = {}
        self._ids: dict[int, tuple[int, int]] = {}
        self._above = ""  # what the line above is, if attributes cannot stand below it

    def mistake(self, line: int, column: int, message: str) -> None:
        """Note a mistake; after MAX_ERRORS only that there are more."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(SignatureError(self.name, line, column, message))
        elif len(self.errors) == MAX_ERRORS:
            message = f"more than {MAX_ERRORS} mistakes; expected a file of signatures"
            self.errors.append(SignatureError(self.name, 0, 0, message))

    def id_place(self, signature: Signature | Rule) -> tuple[int, int]:
        """Return line and column of a signature's explicit id."""
        return self._ids[signature.line]

    def read(self, data: bytes) -> None:
        """Read the whole content of the file."""
        self._read(data)
        self.reading = False

    def _read(self, data: bytes) -> None:
        if len(data) > MAX_FILE:
            self.mistake(0, 0, f"the file has {len(data)} bytes; expected at most {MAX_FILE}")
            return
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
        try:
            lines = data.decode().split("\n")
        except UnicodeDecodeError:
            lines = self._decode(data)
        self.definitions.foresee(lines)
        for index, text in enumerate(lines, 1):
            line = text.rstrip("\r\n \t")
            if not line:
                continue
            try:
                self._line(line, index)
            except Mistake as mistake:
                if mistake.message:  # empty: told elsewhere
                    self.mistake(index, mistake.column, mistake.message)
        self._close()

    def _decode(self, data: bytes) -> list[str]:
        lines = []
        for index, raw in enumerate(data.split(b"\n"), 1):
            try:
                lines.append(raw.decode())
            except UnicodeDecodeError as error:
                column = len(raw[: error.start].decode()) + 1
                self.mistake(index, column, f"the byte 0x{raw[error.start]:02x} is not UTF-8; expected UTF-8 text")
                lines.append("")
        return lines

    def _line(self, line: str, index: int) -> None:
        if len(line) > MAX_LINE:
            raise Mistake(MAX_LINE + 1, f"the line has {len(line)} characters; expected at most {MAX_LINE}")
        control = _CONTROL.search(line)
        if control is not None:
            raise Mistake(
                control.start() + 1, f"the control character 0x{ord(control[0]):02x}; expected printable text"
            )
        body = line.lstrip(" \t")
        if body.startswith("#"):
            return
        if body is line or body == line:
            self._close()
            self._header_seen = True
            if is_definition(line):
                self._above = "a definition"
                parse.definition(line, index, self.definitions)
                return
            if includes.is_include(line):
                self._above = "a line 'include'"
                self._include(line)
                return
            self._above = ""
            self._open = self._header(line)
            self._values = {"file": self.name, "line": index}
        else:
            if self._above:
                raise Mistake(
                    len(line) - len(body) + 1, f"an attribute below {self._above}; expected it below a signature"
                )
            if not self._header_seen:
                raise Mistake(
                    len(line) - len(body) + 1,
                    "an attribute before any signature; expected a line that begins with a protocol",
                )
            self._attribute(line, index)

    def _include(self, line: str) -> None:
        match = includes.INCLUDE.fullmatch(line)
        if match is None:
            raise Mistake(len("include") + 1, "no file name in quotes after 'include'; expected include \"NAME.fp\"")
        name, column = match[1], match.start(1) + 1
        if not includes.NAME.fullmatch(name):
            raise Mistake(
                column,
                f"wrong file name {quote(name)}; expected a name alone, of a file in the same folder or a shipped one",
            )
        path = includes.find(name, self.name)
        if path is None:
            raise Mistake(
                column, f"there is no file {quote(name)}; expected one in the folder of this file, or a shipped one"
            )
        try:
            other = self._library.file(path)
        except OSError as error:
            raise Mistake(
                column, f"{quote(name)} cannot be read ({error.strerror}); expected a file of signatures"
            ) from None
        if other.reading or other is self:
            raise Mistake(column, f"{quote(name)} includes this file; expected no circle of files")
        self.definitions.include(other.definitions, name, column)

    def _header(self, line: str) -> Signature | Rule:
        if rule.is_header(line):
            return Rule("", rule.header(line))
        signature = parse.signature(line, self.definitions)
        check(signature)
        return signature

    def _close(self) -> None:
        if isinstance(self._open, Rule) and "sequence" not in self._values:
            self.mistake(self._values["line"], 1, f"a rule without sequence; expected {rule.SEQUENCE}")
        elif self._open is not None:
            self.signatures.append(replace(self._open, **self._values))
        self._open = None
        self._values = {}

    def _attribute(self, line: str, index: int) -> None:
        match = _ATTRIBUTE.fullmatch(line)
        if match is None:
            start = len(line) - len(line.lstrip(" \t"))
            raise Mistake(start + 1, "'=' without a name; expected an attribute, for example severity = medium")
        key, sign, value = match.groups()
        column = match.start(1) + 1
        known = RULE_ATTRIBUTES if isinstance(self._open, Rule) else ATTRIBUTES
        if key not in known:
            what = f"unknown attribute {quote(key)}{suggest(key.lower(), known)}"
            if key in ("sequence", "threshold"):
                what = f"{key} is an attribute of {'rules' if key == 'sequence' else 'signatures'}"
            raise Mistake(column, f"{what}; expected {', '.join(known)}")
        if sign is None:
            raise Mistake(match.end(1) + 1, f"no '=' after {quote(key)}; expected {key} = value")
        if not value:
            raise Mistake(len(line) + 1, f"the attribute {quote(key)} has no value; expected {key} = value")
        if key in self._values:
            raise Mistake(column, f"the attribute {quote(key)} is given twice; expected it once for a signature")
        column = match.start(3) + 1
        self._values[key] = None  # given, whatever is wrong with it
        self._values[key] = _value(key, value, column, index)
        if key == "id" and self._open is not None:
            self._ids[self._values["line"]] = (index, column)


def _value(key: str, value: str, column: int, line: int) -> Value:
    if key == "threshold":
        return rule.threshold(value, column)
    if key == "suppress":
        return rule.suppress(value, column)
    if key == "sequence":
        return rule.sequence(value, column, line)
    if key == "confidence":
        if not (value.isascii() and value.isdigit()) or len(value.lstrip("0")) > 3 or int(value) > 100:
            raise Mistake(column, f"wrong confidence {quote(value)}; expected a number of percent from 0 to 100")
        return int(value)
    if key == "id" and not _ID.fullmatch(value):
        raise Mistake(
            column, f"wrong id {quote(value)}; expected lower-case words joined by dots, for example ssh.auth.failure"
        )
    if key == "severity":
        if value in SEVERITIES:
            return value
        if value in ("1", "2", "3", "4"):
            return SEVERITIES[int(value) - 1]
        raise Mistake(
            column,
            f"wrong severity {quote(value)}{suggest(value.lower(), SEVERITIES)};"
            " expected low, medium, high, critical or 1 to 4",
        )
    if key == "rev":
        if not (value.isascii() and value.isdigit()):
            raise Mistake(column, f"wrong revision {quote(value)}; expected a number, for example 1")
        return number(value, column, 0x7FFFFFFF)
    if key == "attack":
        techniques = []
        for part in value.split(","):
            name = part.strip(" \t")
            if not _TECHNIQUE.fullmatch(name):
                start = column + len(part) - len(part.lstrip(" \t"))
                raise Mistake(
                    start, f"wrong technique {quote(name)}; expected ATT&CK ids, for example T1110.001, T1021"
                )
            techniques.append(name)
            column += len(part) + 1
        return tuple(techniques)
    return value


Read = tuple[list[Signature], list[Rule], list[SignatureError]]


class Library:
    """The files of one load, each read once however many include it."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}  # by path

    def file(self, path: str) -> File:
        """Return a file that has been read, or is being read. Raises OSError."""
        key = os.path.realpath(path)
        file = self.files.get(key)
        if file is None:
            if len(self.files) == MAX_FILES:
                raise OSError(0, f"more than {MAX_FILES} files are included")
            with open(path, "rb") as stream:
                data = stream.read(MAX_FILE + 1)
            file = self.files[key] = File(path, self)
            file.read(data)
        return file


def read(paths: Iterable[str | os.PathLike[str]]) -> Read:
    """Read files in order and give each signature and rule its id; return both and all mistakes."""
    library = Library()
    files: list[File] = []
    for given in paths:
        path = os.fspath(given)
        key = os.path.realpath(path)
        if key in library.files and (library.files[key] in files or library.files[key].name != path):
            del library.files[key]  # given twice: its ids are taken then
        try:
            files.append(library.file(path))
        except OSError as error:
            files.append(File(path))
            files[-1].mistake(0, 0, f"cannot be read ({error.strerror}); expected a file of signatures")
    return finish(files, library)


def finish(files: list[File], library: Library | None = None) -> Read:
    """Give ids to signatures and rules without one; report ids given twice, and rules about ids that there are not.

    Of files of the library that are only included the definitions count, and their mistakes.
    """
    owners: dict[str, tuple[File, Signature | Rule]] = {}
    for file in files:
        for signature in file.signatures:
            if not signature.id:
                continue
            first_file, first = owners.setdefault(signature.id, (file, signature))
            if first is not signature:
                line, column = file.id_place(signature)
                place = f"{first_file.name}:{first_file.id_place(first)[0]}"
                file.mistake(line, column, f"the id {quote(signature.id)} is taken by {place}; expected another id")
    taken = set(owners)
    signatures: list[Signature] = []
    rules: list[Rule] = []
    for file in files:
        stem = re.sub(r"[^a-z0-9_-]", "_", os.path.splitext(os.path.basename(file.name))[0].lower()) or "_"
        for signature in file.signatures:
            if not signature.id:
                name = base = f"{stem}.line{signature.line}"
                suffix = 2
                while name in taken:
                    name = f"{base}-{suffix}"
                    suffix += 1
                taken.add(name)
                signature = replace(signature, id=name)  # noqa: PLW2901
            if isinstance(signature, Rule):
                rules.append(signature)
            else:
                signatures.append(signature)
    if not any(
        file.errors for file in (*files, *(library.files.values() if library else ()))
    ):  # what a wrong line would have defined is not missing
        known = [signature.id for signature in signatures]
        for file in files:
            for one in rule.undefined([r for r in rules if r.file == file.name], known):
                file.mistake(*one)
    included = [file for file in library.files.values() if file not in files] if library else []
    return signatures, rules, [error for file in (*files, *included) for error in file.errors]
