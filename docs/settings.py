# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the tables of docs/settings.md from the settings' declarations; a test holds the two together."""

import tomlkit

from flowtap.settings import Settings
from flowtap.settings_errors import expected


def tables() -> str:
    """Return a table in Markdown for each section."""
    parts = []
    for name, section in Settings.model_fields.items():
        model = section.annotation
        assert model is not None
        rows = [
            f"| `{key}` | `{tomlkit.item(field.default).as_string()}` | {expected(field)} | {field.description} |"
            for key, field in model.model_fields.items()
        ]
        parts.append("\n".join([f"## [{name}]", "", "| setting | default | values | |", "|---|---|---|---|", *rows]))
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(tables())
