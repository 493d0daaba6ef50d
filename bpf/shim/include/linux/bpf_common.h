/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* Classic BPF's constants: bcc's bpf.h includes them, no program here uses them. */
