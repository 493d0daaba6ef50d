# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the enum of counters.pxd a Python one; there is nothing else to it."""
