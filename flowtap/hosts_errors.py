# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can go wrong when hosts are asked for, live or of a file."""


class AskError(Exception):
    """The hosts cannot be told, or not all of them; the text names where and why."""
