/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* bcc includes this file; nothing of it is needed. */
