/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* Included before all else: what bcc's helpers.h takes for granted. */
#ifndef FLOWTAP_SHIM_KCONFIG_H
#define FLOWTAP_SHIM_KCONFIG_H

#include <linux/types.h>

#define CONFIG_BPF_SYSCALL 1

#endif
