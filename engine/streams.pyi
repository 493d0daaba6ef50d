# SPDX-License-Identifier: LGPL-2.1-or-later
"""Senders and their streams; nothing of it is for Python."""
