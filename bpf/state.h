/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * What the eBPF tap keeps for each CPU, in one element of a map: counters, settings, the packet it is at.
 *
 * Counters come first and last: so a capture process that takes the place of a killed one of the same FT_STATE_VERSION
 * reads them whatever the other's number of shards was.
 */
#ifndef FLOWTAP_STATE_H
#define FLOWTAP_STATE_H

#include "batch.h"
#include "packet.h"

#define FT_STATE_VERSION 1

#ifndef FT_SHARDS
#define FT_SHARDS 1 /* userspace asks only where things are */
#endif

struct flowtap_state {
	ft_u32 version; /* FT_STATE_VERSION */
	ft_u32 shards;  /* FT_SHARDS */
	ft_u64 seen;    /* without those that met the tap at work: only they may count while it works */
	ft_u64 verdict[FT_VERDICT_COUNT];
	ft_u64 reason[FT_TAP_REASON_COUNT];
	struct ft_settings settings;
	volatile ft_u32 busy;
	volatile ft_u32 overdue; /* the timer found it busy */
	struct ft_record record;
	struct ft_tag tag;
	struct ft_headers at;
	ft_u64 stream[FT_SHARDS][FT_STREAM_COUNTER_COUNT];
};

#endif
