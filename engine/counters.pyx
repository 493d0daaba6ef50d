# SPDX-License-Identifier: LGPL-2.1-or-later
"""The names of the counters, from the enum that counters.pxd makes a Python one."""

NAMES = tuple(member.name.lower() for member in Counter if member != COUNTERS)
