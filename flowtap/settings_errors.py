# SPDX-License-Identifier: LGPL-2.1-or-later
"""Says what is wrong with settings in words: the line, the setting, what was found, what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import orjson
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from pydantic import ValidationError

    from flowtap.toml import Document

TOGETHER = "together"  # type of the error that settings are given which exclude one another

_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: ""}


def explain(error: ValidationError, model: type[BaseModel], document: Document) -> Iterator[tuple[int, str]]:
    """Yield line and text of each mistake that pydantic found in `document`."""
    for one in error.errors():
        place = tuple(part for part in one["loc"] if isinstance(part, str))
        entry = next((part for part in one["loc"] if isinstance(part, int)), None)
        name = ".".join(place) + ("" if entry is None else f"[{entry}]")
        line = next((document.lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in document.lines), 1)
        if one["type"] == "extra_forbidden":
            yield line, f"{name}: {_unknown(place, model)}"
        elif one["type"] == TOGETHER:
            yield line, f"{name}: {one['msg']}"
        else:
            why = f" ({one['ctx']['error']})" if one["type"] == "value_error" and str(one["ctx"]["error"]) else ""
            yield line, f"{name}: found {_found(one['input'])}, expected {_expected(place, entry, model)}{why}"


def expected(field: FieldInfo) -> str:
    """Return in words what values a setting takes."""
    return _describe(field.annotation, field.metadata)


def _expected(place: tuple[str, ...], entry: int | None, model: type[BaseModel]) -> str:
    if len(place) == 1:
        return f"a table: [{place[0]}]"
    section = model.model_fields[place[0]].annotation
    assert section is not None
    field = section.model_fields[place[1]]
    if entry is not None:
        (item,) = get_args(field.annotation)
        return _describe(item, [])
    return expected(field)


def _describe(annotation: Any, metadata: list[Any]) -> str:
    if hasattr(annotation, "__metadata__"):  # Annotated
        inner = [part for item in annotation.__metadata__ for part in _parts(item)]
        return _describe(annotation.__origin__, [*inner, *metadata])
    if get_origin(annotation) is Literal:
        *some, last = (f'"{value}"' for value in get_args(annotation))
        return f"{', '.join(some)} or {last}"
    if get_origin(annotation) is list:
        (item,) = get_args(annotation)
        return f"a list, each entry {_describe(item, [])}"
    form = next((_form(part) for part in metadata if _form(part)), "")
    low = next((part.ge for part in metadata if hasattr(part, "ge")), None)
    high = next((part.le for part in metadata if hasattr(part, "le")), None)
    longest = next((part.max_length for part in metadata if hasattr(part, "max_length")), None)
    words = _WORDS[annotation]
    if annotation is str:
        words = form or words
        form = ""
    text = form or words
    if low is not None:
        text += f" from {low:,} to {high:,}" if annotation is int else f" from {low:g} to {high:,.0f}"
    return f"{text} of at most {longest} characters" if longest is not None else text


def _parts(item: Any) -> list[Any]:
    """Return what a field's metadata holds: Field() in Annotated keeps its own list."""
    return list(item.metadata) if isinstance(item, FieldInfo) else [item]


def _form(part: Any) -> str:
    """Return what flowtap.settings._form says is expected; empty for other metadata."""
    if isinstance(part, AfterValidator) and isinstance(part.func, partial):
        return str(part.func.args[1])
    return ""


def _unknown(place: tuple[str, ...], model: type[BaseModel]) -> str:
    what, known = "section", list(model.model_fields)
    if len(place) > 1:
        section = model.model_fields[place[0]].annotation
        assert section is not None
        what, known = "setting", list(section.model_fields)
    near = get_close_matches(place[-1], known, 1)
    if near:
        return f"unknown {what}, expected {near[0]}?"
    if len(place) == 1:
        homes = [f"{name}.{place[0]}" for name, field in model.model_fields.items() if _has(field, place[0])]
        if homes:
            return f"unknown section, expected {' or '.join(homes)}?"
    return f"unknown {what}, expected one of {', '.join(known)}"


def _has(field: FieldInfo, name: str) -> bool:
    return field.annotation is not None and name in field.annotation.model_fields


def _found(value: Any) -> str:
    """Return a value as TOML writes it, shortened."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, float):
        return repr(value)
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
