# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m flowtap`: the same as the command `flowtap`."""

from flowtap.cli import main

main()
