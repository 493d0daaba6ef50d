# SPDX-License-Identifier: LGPL-2.1-or-later
"""A laboratory of network namespaces: real clients and servers, recorded on the gateway between them.

`python -m lab -o DIR` makes the captures of tests/captures again. It needs root and the Debian packages that
lab/__main__.py names; the tests themselves read only what was recorded.
"""
