# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds the signature that fits a handshake; nothing of it is for Python."""
