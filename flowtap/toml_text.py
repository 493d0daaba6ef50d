# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes settings as the TOML file that gives them, each setting under the sentence that says what it is."""

from __future__ import annotations

import tomlkit

from flowtap.settings import Settings
from flowtap.settings_errors import expected

_HEAD = "Settings of flowtap. `flowtap config check` checks this file, docs/settings.md explains it."


def settings_toml(settings: Settings) -> str:
    """Return the text of a file that gives `settings`; what is not the default says what the default is."""
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEAD))
    document.add(tomlkit.nl())
    for name, section in Settings.model_fields.items():
        model = section.annotation
        assert model is not None
        values = getattr(settings, name)
        table = tomlkit.table()
        for key, field in model.model_fields.items():
            value = getattr(values, key)
            table.add(tomlkit.comment(str(field.description)))
            told = f"{_capital(expected(field))}."
            if value != field.default:
                told += f" Default: {tomlkit.item(field.default).as_string()}"
            table.add(tomlkit.comment(told))
            table.add(key, value)
            table.add(tomlkit.nl())
        document.add(name, table)
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _capital(text: str) -> str:
    """Return `text` with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
