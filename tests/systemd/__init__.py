# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian system in namespaces, booted by its own systemd: what `make install` puts in place runs there as it will."""
