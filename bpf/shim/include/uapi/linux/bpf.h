/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* bcc carries this header itself. */
#include <bcc/bpf.h>
