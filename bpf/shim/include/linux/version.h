/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* bcc compares this with old kernels only; what a kernel offers is found out when the program is loaded. */
#ifndef FLOWTAP_SHIM_VERSION_H
#define FLOWTAP_SHIM_VERSION_H

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
#define LINUX_VERSION_CODE KERNEL_VERSION(5, 10, 0)

#endif
