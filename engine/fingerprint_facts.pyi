# SPDX-License-Identifier: LGPL-2.1-or-later
"""Works out what a handshake shows of its sender; nothing of it is for Python."""
