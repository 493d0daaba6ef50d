# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads databases of TCP fingerprints: p0f.fp as p0f 3 has it, and our own files, which add `class` to a label.

    classes = win,unix,other
    [tcp:request]
    label = s:unix:Linux:3.x
    class = server
    sig   = *:64:0:*:mss*10,4:mss,sok,ts,nop,ws:df,id+:0

Sections [tcp:request] (SYN), [tcp:response] (SYN+ACK) and [mtu] are read, others are skipped. A line that begins with
a semicolon is a comment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace

from sigdb.errors import Mistake, SignatureError, SignatureErrors, quote, suggest
from sigdb.tcp_cover import covers
from sigdb.tcp_nodes import ROLES, TOOL, TcpDatabase, TcpLabel, TcpSignature
from sigdb.tcp_parse import number, signature

BIGGEST = 16 << 20
KEYS = ("label", "sys", "class", "sig")
NAME = r"[0-9A-Za-z .,/+_'\-()?!]+"  # what p0f lets stand in a name, and nothing that would part fields


def load_tcp(paths: Iterable[str | os.PathLike[str]]) -> TcpDatabase:
    """Read files of fingerprints, in their order: of two signatures that fit alike, the first counts.

    Raises SignatureErrors with every mistake of every file, one that cannot be read included; then nothing is loaded.
    """
    files = []
    for path in paths:
        file = _File(os.fspath(path))
        files.append(file)
        try:
            with open(path, "rb") as stream:
                data = stream.read(BIGGEST + 1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            file.errors.append(SignatureError(file.name, 0, 0, f"cannot be read: {reason}"))
            continue
        file.read(data)
    return _finish(files)


def loads_tcp(text: str | bytes, name: str = "text") -> TcpDatabase:
    """Read the text of one file, which is called `name` in errors. Else as load_tcp()."""
    file = _File(name)
    file.read(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return _finish([file])


def _finish(files: list[_File]) -> TcpDatabase:
    errors = [error for file in files for error in file.errors]
    if errors:
        raise SignatureErrors(errors)
    mtus: dict[int, str] = {}
    for file in files:
        mtus = file.mtus | mtus
    return TcpDatabase(tuple(s for file in files for s in file.signatures), mtus)


class _File:
    """One file: what was read of it, and where in it the reader stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.signatures: list[TcpSignature] = []
        self.mtus: dict[int, str] = {}
        self.errors: list[SignatureError] = []
        self._classes: list[str] = []
        self._section: str | None = None  # request, response, mtu; "": one that is skipped
        self._label: TcpLabel | None = None
        self._link: str | None = None  # the label of [mtu]
        self._used = False  # whether the label has a signature already
        self._line = 0
        self._alike: dict[tuple[bool, bytes], list[TcpSignature]] = {}

    def read(self, data: bytes) -> None:
        """Read all lines; what is wrong goes into `errors`."""
        if len(data) > BIGGEST:
            self.errors.append(SignatureError(self.name, 0, 0, "larger than 16 MiB, expected TCP fingerprints"))
            return
        for self._line, raw in enumerate(data.split(b"\n"), 1):
            try:
                self._read_line(raw)
            except Mistake as mistake:
                self.errors.append(SignatureError(self.name, self._line, mistake.column, mistake.message))

    def _read_line(self, raw: bytes) -> None:
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            if raw.lstrip().startswith(b";"):
                return
            raise Mistake(error.start + 1, f"byte 0x{raw[error.start]:02x}, expected UTF-8") from error
        line = text.strip()
        column = len(text) - len(text.lstrip()) + 1
        if not line or line.startswith(";"):
            return
        if line.startswith("["):
            self._begin(line, column)
            return
        if self._section == "":
            return
        key, equals, value = line.partition("=")
        at = column + len(key) + 1 + len(value) - len(value.lstrip())
        key, value = key.strip(), value.strip()
        if not equals:
            raise Mistake(column, f"{quote(line)}, expected [section], key = value or a comment (;)")
        if self._section is None:
            self._top(key, value, column, at)
        elif self._section == "mtu":
            self._mtu(key, value, column, at)
        elif key == "label":
            self._label, self._used = None, False
            self._label = self._read_label(value, at)
        elif key in KEYS:
            self._below_label(key, value, column, at)
        else:
            raise Mistake(column, f"key {quote(key)}, expected one of {', '.join(KEYS)}{suggest(key, KEYS)}")

    def _begin(self, line: str, column: int) -> None:
        module, colon, direction = line[1:].removesuffix("]").partition(":")
        if not line.endswith("]") or not module or (module == "tcp" and direction not in ("request", "response")):
            raise Mistake(column, f"section {quote(line)}, expected [tcp:request], [tcp:response] or [mtu]")
        self._section = direction if module == "tcp" else "mtu" if module == "mtu" and not colon else ""
        self._label = self._link = None

    def _top(self, key: str, value: str, column: int, at: int) -> None:
        """Read what stands before the first section."""
        if key != "classes":
            raise Mistake(column, f"key {quote(key)} before any section, expected classes or [tcp:request]")
        for word in value.split(","):
            if not re.fullmatch(r"[0-9A-Za-z]+", word.strip()):
                raise Mistake(at, f"class {quote(word.strip())}, expected letters and digits")
            self._classes.append(word.strip())
            at += len(word) + 1

    def _mtu(self, key: str, value: str, column: int, at: int) -> None:
        if key == "label":
            if not value:
                raise Mistake(at, "empty label, expected the name of a link")
            self._link = value
        elif key != "sig":
            raise Mistake(column, f"key {quote(key)}, expected label or sig")
        elif self._link is None:
            raise Mistake(column, "sig without a label before it")
        else:
            mtu = number(value, at, 1, 65535, "MTU")
            if mtu in self.mtus:
                raise Mistake(at, f"MTU {mtu} again, expected each once")
            self.mtus[mtu] = self._link

    def _read_label(self, value: str, at: int) -> TcpLabel:
        fields = value.split(":", 3)
        if len(fields) != 4:
            raise Mistake(at, f"label {quote(value)}, expected type:class:name:flavor such as s:unix:Linux:3.x")
        kind, os_class, name, flavor = fields
        if kind not in ("s", "g"):
            raise Mistake(at, f"type {quote(kind)} of a label, expected s (specific) or g (generic)")
        at += 2
        if os_class != TOOL:
            known = {word.lower(): word for word in self._classes}
            if os_class.lower() not in known:
                names = ", ".join([*self._classes, TOOL])
                raise Mistake(at, f"class {quote(os_class)}, expected one of {names}{suggest(os_class, known)}")
            os_class = known[os_class.lower()]
        at += len(os_class) + 1
        if not re.fullmatch(NAME, name):
            raise Mistake(at, f"name {quote(name)}, expected letters, digits, blanks and . , / + - _ ' ( ) ? !")
        return TcpLabel(kind == "g", os_class, name, flavor.strip(), "tool" if os_class == TOOL else "", ())

    def _below_label(self, key: str, value: str, column: int, at: int) -> None:
        if self._label is None:
            raise Mistake(column, f"{key} without a correct label before it")
        if key == "sig":
            self._add(value, at)
            return
        if self._used:
            raise Mistake(column, f"{key} after a sig, expected it between label and first sig")
        if key == "class":
            if value not in ROLES:
                raise Mistake(at, f"class {quote(value)}, expected one of {', '.join(ROLES)}{suggest(value, ROLES)}")
            self._label = replace(self._label, role=value)
        else:
            systems = tuple(word.strip() for word in value.split(","))
            if not all(re.fullmatch(f"@?{NAME}", word) for word in systems):
                raise Mistake(at, f"sys {quote(value)}, expected names, or @class, parted by commas")
            self._label = replace(self._label, systems=systems)

    def _add(self, value: str, at: int) -> None:
        assert self._label is not None
        self._used = True
        response = self._section == "response"
        made = TcpSignature(self._label, response, **signature(value, at), file=self.name, line=self._line)
        alike = self._alike.setdefault((response, made.layout), [])
        for old in alike:
            if covers(old, made):
                raise Mistake(at, f"signature takes nothing that line {old.line} does not take before it")
        alike.append(made)
        self.signatures.append(made)
