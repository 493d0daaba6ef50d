# SPDX-License-Identifier: LGPL-2.1-or-later
"""Package data only: the C headers that the kernel program and the userspace extensions share."""
