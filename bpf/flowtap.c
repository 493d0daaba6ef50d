// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tc program and the timer program: parse, count, batch, hand over.
 *
 * One CPU's packets go through one struct flowtap_state, and its records into one batch for each shard. Nothing here
 * is shared between CPUs but the table of handshakes and the one of cut-offs, which tolerate races.
 *
 * The timer program (a perf event, in hard interrupt context) hands over batches that are not full. It may interrupt
 * the tc program on its CPU at any instruction, never the other way round, so a plain flag guards the state: it needs
 * no atomic instruction, but the compiler must not move accesses across it. Where the timer finds the flag up it asks
 * the tc program to do its work, so that no record waits longer than a period of the timer. On some virtual machines
 * an idle CPU runs no clock programs: `ticks` shows it, and userspace runs the same by a test run on that CPU.
 *
 * Loaded with bcc, which defines the maps' methods; -DFT_SHARDS and -DFT_CUTOFF_ENTRIES size the maps;
 * -DFT_DECAP leaves out what opens tunnels, which is most of what the verifier has to follow.
 */
#include "choice.h"
#include "handshake_fill.h"
#include "plain.h"
#include "state.h"

#define FT_UNSPEC -1 /* TC_ACT_UNSPEC: the packet's way is none of our business */

/* The classid of the filter tells the one program which way its packets go and how their frames begin. */
#define FT_CLASS_IN 1
#define FT_CLASS_OUT 2
#define FT_CLASS_IP 4 /* no Ethernet header */

#define ft_barrier() asm volatile("" ::: "memory")

struct flowtap_batch {
	struct ft_message message;
	struct ft_tag tag[FT_BATCH];
	struct ft_record record[FT_BATCH];
};

struct flowtap_handshakes {
	struct ft_message message;
	struct ft_handshake_record record[FT_HANDSHAKE_BATCH];
};

/* bcc makes readers and writers for each type in a map, in more time than all the rest takes: so it sees only words. */
#define FT_WORDS(type) struct type##_words { ft_u64 word[sizeof(struct type) / 8]; }

FT_WORDS(flowtap_state);
FT_WORDS(flowtap_batch);
FT_WORDS(flowtap_handshakes);

BPF_PERCPU_ARRAY(flowtap_state, struct flowtap_state_words, 1);
BPF_PERCPU_ARRAY(batches, struct flowtap_batch_words, FT_SHARDS);
BPF_PERCPU_ARRAY(handshakes, struct flowtap_handshakes_words, FT_SHARDS);
BPF_ARRAY(expected, ft_u32, FT_HANDSHAKES); /* handshake.h */
BPF_ARRAY(cutoffs, ft_u64, FT_CUTOFF_ENTRIES);
BPF_ARRAY(ports, struct ft_ports, 1);
BPF_HASH(interfaces, ft_u32, ft_u32, 16384); /* by index: those whose incoming packets are counted */
BPF_PERCPU_ARRAY(ticks, ft_u64, 1); /* runs of the timer program */
BPF_PERF_OUTPUT(events);

/* What all messages have in common, just before they leave. */
FT_INLINE void ft_complete(struct flowtap_state *s, struct ft_message *m, ft_u32 shard, ft_u8 kind)
{
	m->sender = s->settings.sender;
	m->cpu = bpf_get_smp_processor_id();
	m->shard = shard;
	m->kind = kind;
	m->version = FT_MESSAGE_VERSION;
}

/* Makes the message the next one of its stream. */
FT_INLINE void ft_advance(struct ft_message *m, ft_u32 count)
{
	m->seq++;
	m->first += count;
	m->count = 0;
}

/* The counters of a shard, or NULL. The verifier follows the pointer where it loses sight of the number. */
FT_INLINE ft_u64 *ft_stream(struct flowtap_state *s, ft_u64 shard)
{
	ft_opaque(shard);
	if (shard >= FT_SHARDS)
		return 0;
	ft_opaque(shard); /* what is added to a pointer comes after the comparison */
	return s->stream[shard];
}

FT_INLINE void ft_hand_over(void *ctx, struct flowtap_state *s, struct flowtap_batch *b, ft_u64 *stream,
			      ft_u32 shard)
{
	ft_u64 count = b->message.count;

	if (count == 0)
		return;
	ft_opaque(count);
	if (count > FT_BATCH)
		return;
	b->message.began = b->record[0].ts;
	b->message.ts = b->record[count - 1].ts;
	ft_complete(s, &b->message, shard, FT_KIND_RECORDS);
	if (events.perf_submit(ctx, b, sizeof(b->message) + sizeof(b->tag) + count * sizeof(struct ft_record)))
		stream[FT_STREAM_LOST] += count;
	else
		stream[FT_STREAM_FORWARDED] += count;
	ft_advance(&b->message, count);
}

FT_INLINE void ft_hand_over_handshakes(void *ctx, struct flowtap_state *s, struct flowtap_handshakes *b,
					 ft_u64 *stream, ft_u32 shard)
{
	ft_u64 size, count = b->message.count;

	if (count == 0)
		return;
	ft_opaque(count);
	if (count > FT_HANDSHAKE_BATCH)
		return;
	ft_complete(s, &b->message, shard, FT_KIND_HANDSHAKES);
	size = count * sizeof(struct ft_handshake_record);
	ft_opaque(size); /* an "or" in place of the addition would widen what the verifier knows of the sum */
	if (events.perf_submit(ctx, b, sizeof(b->message) + size))
		stream[FT_STREAM_HANDSHAKES_LOST] += count;
	else
		stream[FT_STREAM_HANDSHAKES_FORWARDED] += count;
	ft_advance(&b->message, count);
}

FT_INLINE void ft_flush(void *ctx, struct flowtap_state *s)
{
	struct flowtap_handshakes *h;
	struct flowtap_batch *b;
	ft_u64 *stream;
	ft_u32 shard, i;

	for (i = 0; i < FT_SHARDS; i++) {
		shard = i;
		stream = ft_stream(s, i);
		b = (void *)batches.lookup(&shard);
		if (stream && b)
			ft_hand_over(ctx, s, b, stream, i);
		h = (void *)handshakes.lookup(&shard);
		if (stream && h)
			ft_hand_over_handshakes(ctx, s, h, stream, i);
	}
}

FT_INLINE void ft_put_handshake(struct __sk_buff *skb, struct flowtap_state *s, const struct ft_packet *p,
				  ft_u64 *stream, ft_u32 shard)
{
	struct flowtap_handshakes *b = (void *)handshakes.lookup(&shard);
	ft_u32 i;

	if (!b)
		return;
	i = b->message.count;
	if (i >= FT_HANDSHAKE_BATCH || ft_fill_handshake(p, &s->at, &s->record, &s->tag, &b->record[i]))
		return;
	stream[FT_STREAM_HANDSHAKES]++;
	b->message.ts = s->record.ts;
	b->message.count = i + 1;
	if (i + 1 == FT_HANDSHAKE_BATCH)
		ft_hand_over_handshakes(skb, s, b, stream, shard);
}

/* Makes what stands in the batch behind its last record the last. */
FT_INLINE void ft_append(struct __sk_buff *skb, struct flowtap_state *s, struct flowtap_batch *b, ft_u64 *stream,
			 ft_u32 shard, ft_u32 i)
{
	stream[FT_STREAM_BATCHED]++;
	b->message.count = i + 1;
	if (i + 1 == FT_BATCH)
		ft_hand_over(skb, s, b, stream, shard);
}

FT_INLINE void ft_put(struct __sk_buff *skb, struct flowtap_state *s, const struct ft_packet *p)
{
	ft_u32 i, shard = ft_shard(s->record.hash, FT_SHARDS);
	struct flowtap_batch *b = (void *)batches.lookup(&shard);
	ft_u64 *stream = ft_stream(s, shard);

	if (!b || !stream)
		return;
	i = b->message.count;
	if (i >= FT_BATCH)
		return;
	s->record.ts = bpf_ktime_get_ns();
	b->record[i] = s->record;
	b->tag[i] = s->tag;
	ft_append(skb, s, b, stream, shard, i);
	if (ft_is_handshake(&s->record))
		ft_put_handshake(skb, s, p, stream, shard);
}

/* Whether the settings leave this record out; counts it then. */
FT_INLINE int ft_is_left_out(struct flowtap_state *s, const struct ft_record *r)
{
	struct ft_ports *set;
	ft_u32 zero = 0, slot;
	ft_u64 *entry;

	if (s->settings.ports) {
		set = ports.lookup(&zero);
		if (set && !ft_port_is_watched(s->settings.ports, set, r)) {
			s->reason[FT_TAP_PORT]++;
			return 1;
		}
	}
	if (s->settings.cutoff) {
		slot = r->hash & (FT_CUTOFFS - 1);
		entry = cutoffs.lookup(&slot);
		if (entry && ft_is_cut_off(entry, r, s->settings.cutoff)) {
			s->reason[FT_TAP_CUTOFF]++;
			return 1;
		}
	}
	return 0;
}

/* Fills the tag; returns the flags that the record begins with. */
FT_INLINE ft_u8 ft_tag(struct __sk_buff *skb, struct ft_tag *tag)
{
	ft_u8 flags = skb->tc_classid & FT_CLASS_OUT ? FT_F_EGRESS : 0;

	tag->iface = skb->ifindex;
	tag->vlan = 0;
	tag->vlan2 = 0;
	if (skb->vlan_present) {
		tag->vlan = skb->vlan_tci & 0xfff;
		flags |= FT_F_VLAN;
	}
	return flags;
}

/* Writes the record of a plain packet, all but its time, where it is to stay. */
FT_INLINE struct ft_record *ft_place_plain(struct __sk_buff *skb, const ft_u8 *data, ft_u32 hash,
					   struct flowtap_batch *b, ft_u32 i)
{
	struct ft_record *r = &b->record[i];

	ft_write_plain(data, r);
	r->hash = hash;
	r->seg = r->len <= skb->gso_size ? 0 : skb->gso_size;
	r->flags = ft_tag(skb, &b->tag[i]);
	return r;
}

/* Makes the record of a plain packet; 0 when the packet is not plain. */
FT_INLINE int ft_put_plain(struct __sk_buff *skb, struct flowtap_state *s)
{
	const ft_u8 *data = (void *)(long)skb->data;
	struct flowtap_batch *b;
	ft_u32 i, hash, shard;
	struct ft_record *r;
	ft_u64 *stream;

	if (data + FT_PLAIN > (ft_u8 *)(long)skb->data_end || !ft_is_plain(data, skb->len, FT_DECAP))
		return 0;
	hash = ft_hash_plain(data, &s->settings.key);
	shard = ft_shard(hash, FT_SHARDS);
	b = (void *)batches.lookup(&shard);
	stream = ft_stream(s, shard);
	if (!b || !stream)
		return 0;
	i = b->message.count;
	if (i >= FT_BATCH)
		return 0;
	r = ft_place_plain(skb, data, hash, b, i);
	if (ft_is_left_out(s, r))
		return 1;
	r->ts = bpf_ktime_get_ns();
	ft_append(skb, s, b, stream, shard, i);
	return 1;
}

/* The packet as the parser and what makes handshake records read it. */
FT_INLINE struct ft_packet ft_packet_of(struct __sk_buff *skb)
{
	struct ft_packet packet = {
		.skb = skb,
		.near = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.caplen = skb->len,
		.wire = skb->len,
	};

	return packet;
}

/* Makes the record of a packet, in the state. */
FT_INLINE enum ft_verdict ft_read(struct __sk_buff *skb, struct flowtap_state *s, const struct ft_packet *packet)
{
	s->record.seg = skb->gso_size;
	s->record.flags = ft_tag(skb, &s->tag);
	return ft_parse(packet, 0, skb->tc_classid & FT_CLASS_IP ? FT_STEP_IP : FT_STEP_ETHERNET, FT_DECAP,
			&s->settings.key, &s->record, &s->tag, &s->at);
}

FT_INLINE void ft_take_any(struct __sk_buff *skb, struct flowtap_state *s)
{
	struct ft_packet packet = ft_packet_of(skb), far = ft_far(&packet);
	enum ft_verdict verdict;
	ft_u32 slot, *found;

	verdict = ft_read(skb, s, &packet);
	if (ft_in_handshake(verdict, &s->record)) {
		slot = s->record.hash & (FT_HANDSHAKES - 1);
		found = expected.lookup(&slot);
		if (found)
			verdict = ft_handshake(verdict, &s->record, found);
	}
	if (verdict != FT_RECORD) {
		if (verdict < FT_VERDICT_COUNT)
			s->verdict[verdict]++;
	} else if (!ft_is_left_out(s, &s->record)) {
		ft_put(skb, s, &far);
	}
}

FT_INLINE void ft_take(struct __sk_buff *skb, struct flowtap_state *s)
{
	ft_u32 index, class = skb->tc_classid;

	if (class & FT_CLASS_OUT) {
		index = skb->ingress_ifindex;
		if (index && interfaces.lookup(&index)) {
			s->reason[FT_TAP_FORWARDED]++;
			return;
		}
	}
	if ((class & FT_CLASS_IP) || !ft_put_plain(skb, s))
		ft_take_any(skb, s);
}

/* Both directions of every interface. */
int flowtap(struct __sk_buff *skb)
{
	ft_u32 zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);

	if (!s)
		return FT_UNSPEC;
	if (s->busy) {
		__sync_fetch_and_add(&s->reason[FT_TAP_BUSY], 1);
		return FT_UNSPEC;
	}
	s->busy = 1;
	ft_barrier();
	s->seen++;
	ft_take(skb, s);
	if (s->overdue) {
		s->overdue = 0;
		ft_flush(skb, s);
	}
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}

FT_INLINE int ft_tick(void *ctx)
{
	ft_u32 zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);
	ft_u64 *count = ticks.lookup(&zero);

	if (!s || !count)
		return 0;
	if (s->busy) {
		s->overdue = 1;
	} else {
		s->busy = 1;
		ft_barrier();
		ft_flush(ctx, s);
		ft_barrier();
		s->busy = 0;
	}
	(*count)++;
	return 0;
}

/* By the clock of each CPU. */
int flowtap_flush(struct bpf_perf_event_data *ctx)
{
	return ft_tick(ctx);
}

/* By userspace, from another CPU and so with interrupts off, where the clock stands still. */
int flowtap_nudge(struct bpf_raw_tracepoint_args *ctx)
{
	return ft_tick(ctx);
}
