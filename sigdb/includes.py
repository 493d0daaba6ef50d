# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the file is that a line `include "NAME.fp"` names."""

import os
import re

SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "signatures")  # the folder of the shipped database
INCLUDE = re.compile(r'include[ \t]+"([^"]*)"')
NAME = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]*")


def is_include(line: str) -> bool:
    """Return whether a line begins with the word `include`."""
    return line == "include" or line.startswith(("include ", "include\t", 'include"'))


def find(name: str, file: str) -> str | None:
    """Return the path of a file that another one includes: beside it, or a shipped one; None when there is none."""
    for folder in (os.path.dirname(file), SHIPPED):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    return None
