# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing for Python: the C interface is in threads.pxd."""
