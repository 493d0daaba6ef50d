# SPDX-License-Identifier: LGPL-2.1-or-later
"""Benchmarks: they generate their own material, run what is compared in one session and print JSON."""
