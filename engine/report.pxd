# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flow structs to Python objects: the C interface."""

from engine.core cimport Core
from engine.flow cimport Flow

cdef object flow_object(Core *c, Flow *f, bint early)
