# SPDX-License-Identifier: LGPL-2.1-or-later
"""The names of the engine's counters; counters.pxd says what each one counts."""

NAMES: tuple[str, ...]  # in lower case, in the order of the enum
