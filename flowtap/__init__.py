# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line and the settings: the only place that knows every part. It imports the others; none imports it."""
