# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads TPACKET_V3 rings: each packet in them becomes a record in its stream, or is counted.

What bpf/flowtap.c does with a packet in the kernel happens here with the packet's first bytes and the little that the
ring says about it: VLAN tag, direction, length on the wire, segment size (in the virtio_net header in front of it).
"""

cimport cython
from libc.errno cimport errno
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from libc.time cimport timespec

from capture._message cimport (
    FT_CUTOFFS, FT_TAP_CUTOFF, FT_TAP_FORWARDED, FT_TAP_PORT, ft_is_cut_off, ft_port_is_watched, ft_ports,
)
from capture._packet cimport (
    FT_F_EGRESS, FT_F_TRUNCATED, FT_F_VLAN, FT_HANDSHAKES, FT_NO_PAYLOAD, FT_RECORD, FT_STEP_ETHERNET, FT_STEP_IP,
    ft_handshake, ft_headers, ft_in_handshake, ft_key, ft_packet, ft_parse, ft_record, ft_tag,
)
from capture._stream cimport Stream


cdef extern from "<time.h>" nogil:
    int CLOCK_MONOTONIC
    int CLOCK_REALTIME
    int clock_gettime(int clock, timespec *now)


cdef extern from "<sys/mman.h>" nogil:
    int PROT_READ
    int PROT_WRITE
    int MAP_SHARED
    void *MAP_FAILED
    void *mmap(void *address, size_t length, int protection, int flags, int descriptor, long offset)
    int munmap(void *address, size_t length)


cdef extern from "<linux/if_packet.h>" nogil:
    struct sockaddr_ll:
        uint8_t sll_pkttype

    struct tpacket_hdr_variant1:
        uint32_t tp_vlan_tci

    struct tpacket3_hdr:
        uint32_t tp_next_offset
        uint32_t tp_sec
        uint32_t tp_nsec
        uint32_t tp_snaplen
        uint32_t tp_len
        uint32_t tp_status
        uint16_t tp_mac
        uint16_t tp_net
        tpacket_hdr_variant1 hv1

    struct tpacket_hdr_v1:
        uint32_t block_status
        uint32_t num_pkts
        uint32_t offset_to_first_pkt

    union tpacket_bd_header_u:
        tpacket_hdr_v1 bh1

    struct tpacket_block_desc:
        tpacket_bd_header_u hdr

    uint8_t PACKET_OUTGOING
    uint32_t TP_STATUS_KERNEL
    uint32_t TP_STATUS_USER
    uint32_t TP_STATUS_VLAN_VALID
    size_t TPACKET_ALIGN(size_t size)


cdef extern from "<linux/virtio_net.h>" nogil:
    struct virtio_net_hdr:
        uint16_t gso_size


cdef extern from * nogil:
    int __ATOMIC_ACQUIRE
    int __ATOMIC_RELEASE
    uint32_t __atomic_load_n(uint32_t *address, int order)
    void __atomic_store_n(uint32_t *address, uint32_t value, int order)
    void __builtin_prefetch(const void *address)


cdef enum:
    ORIGIN = 17     # bytes of a range of addresses


cdef inline int64_t now(int clock) noexcept nogil:
    cdef timespec t
    clock_gettime(clock, &t)
    return <int64_t>t.tv_sec * 1000000000 + t.tv_nsec


@cython.final
cdef class Ring:
    """The mapped ring of a packet socket, and whose packets these are."""

    cdef readonly Stream stream
    cdef readonly uint64_t packets      # taken out of it
    cdef uint8_t *memory
    cdef size_t size
    cdef uint32_t block_size
    cdef uint32_t blocks
    cdef uint32_t next
    cdef uint32_t interface
    cdef bint ethernet
    cdef bytes origins                  # ranges: first address, whether its packets were counted where they came in
    cdef const uint8_t *origin
    cdef Py_ssize_t origin_count

    def __cinit__(self, int descriptor, uint32_t block_size, uint32_t blocks, Stream stream not None, *,
                  uint32_t interface, bint ethernet):
        cdef void *memory
        self.size = <size_t>block_size * blocks
        memory = mmap(NULL, self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        if memory == MAP_FAILED:
            self.size = 0
            raise OSError(errno, "a packet socket's ring cannot be mapped")
        self.memory = <uint8_t *>memory
        self.block_size = block_size
        self.blocks = blocks
        self.stream = stream
        self.interface = interface
        self.ethernet = ethernet

    def __dealloc__(self):
        self.unmap()

    def judge_outgoing(self, bytes origins not None):
        if len(origins) % ORIGIN:
            raise ValueError(f"ranges of addresses are {ORIGIN} bytes each")
        self.origin_count = len(origins) // ORIGIN
        self.origins = origins
        self.origin = origins

    cdef bint is_counted_elsewhere(self, const uint8_t *address) noexcept nogil:
        cdef Py_ssize_t low = 0, high = self.origin_count, middle
        while low < high:
            middle = (low + high) >> 1
            if memcmp(self.origin + ORIGIN * middle, address, 16) <= 0:
                low = middle + 1
            else:
                high = middle
        return low > 0 and self.origin[ORIGIN * (low - 1) + 16]

    def unmap(self):
        if self.size:
            munmap(self.memory, self.size)
        self.size = 0


@cython.final
cdef class Reader:
    """What all rings share: the settings, the tables of handshakes and of cut-offs."""

    cdef ft_key key
    cdef ft_ports ports
    cdef uint32_t mode
    cdef uint32_t decap
    cdef uint32_t cutoff
    cdef uint32_t *handshakes
    cdef uint64_t *cutoffs

    def __cinit__(self, const uint8_t[::1] key not None, const uint8_t[::1] ports not None, uint32_t mode, *,
                  bint decap, uint32_t cutoff):
        if key.shape[0] != sizeof(ft_key) or ports.shape[0] != sizeof(ft_ports):
            raise ValueError(f"key of {key.shape[0]} bytes, expected {sizeof(ft_key)}, or no set of ports")
        memcpy(&self.key, &key[0], sizeof(ft_key))
        memcpy(&self.ports, &ports[0], sizeof(ft_ports))
        self.mode = mode
        self.decap = decap
        self.cutoff = cutoff
        self.handshakes = <uint32_t *>calloc(FT_HANDSHAKES, sizeof(uint32_t))
        self.cutoffs = <uint64_t *>calloc(FT_CUTOFFS if cutoff else 1, sizeof(uint64_t))
        if self.handshakes == NULL or self.cutoffs == NULL:
            raise MemoryError("no memory for the tables of handshakes and cut-offs")

    def __dealloc__(self):
        free(self.handshakes)
        free(self.cutoffs)

    cdef int packet(self, Ring ring, Stream stream, const uint8_t *frame, int64_t offset,
                    int64_t latest) except -1 nogil:
        cdef const tpacket3_hdr *head = <const tpacket3_hdr *>frame
        cdef const sockaddr_ll *where = <const sockaddr_ll *>(frame + TPACKET_ALIGN(sizeof(tpacket3_hdr)))
        cdef ft_packet packet
        cdef ft_headers at
        cdef ft_record record
        cdef ft_tag tag
        cdef int verdict
        cdef int64_t ts = <int64_t>head.tp_sec * 1000000000 + head.tp_nsec + offset
        cdef bint outgoing = where.sll_pkttype == PACKET_OUTGOING
        # A stream is in order. Neither two CPUs that stamped at once nor a step of the clock may break that.
        if ts > latest:
            ts = latest
        if ts < <int64_t>stream.last:
            ts = stream.last
        stream.last = ts
        stream.seen += 1
        packet.data = frame + head.tp_mac
        packet.caplen = head.tp_snaplen
        packet.wire = head.tp_len
        at.ip = 0
        at.tcp = 0
        record.ts = ts
        record.seg = (<const virtio_net_hdr *>(frame + head.tp_mac - sizeof(virtio_net_hdr))).gso_size
        record.flags = FT_F_EGRESS if outgoing else 0
        tag.iface = ring.interface
        tag.vlan = 0
        tag.vlan2 = 0
        if head.tp_status & TP_STATUS_VLAN_VALID:
            tag.vlan = head.hv1.tp_vlan_tci & 0xfff
            record.flags |= FT_F_VLAN
        if ring.ethernet:
            verdict = ft_parse(&packet, 0, FT_STEP_ETHERNET, self.decap, &self.key, &record, &tag, &at)
        else:
            verdict = ft_parse(&packet, head.tp_net - head.tp_mac, FT_STEP_IP, self.decap, &self.key, &record, &tag,
                               &at)
        if outgoing and ring.origin_count and (verdict == FT_RECORD or verdict == FT_NO_PAYLOAD):
            if ring.is_counted_elsewhere(record.src):
                stream.reason[FT_TAP_FORWARDED] += 1
                return 0
        if ft_in_handshake(verdict, &record):
            verdict = ft_handshake(verdict, &record, &self.handshakes[record.hash & (FT_HANDSHAKES - 1)])
        if verdict != FT_RECORD:
            stream.verdict[verdict] += 1
            return 0
        if self.mode and not ft_port_is_watched(self.mode, &self.ports, &record):
            stream.reason[FT_TAP_PORT] += 1
            return 0
        if self.cutoff and ft_is_cut_off(&self.cutoffs[record.hash & (FT_CUTOFFS - 1)], &record, self.cutoff):
            stream.reason[FT_TAP_CUTOFF] += 1
            return 0
        # The kernel has the whole packet; that the ring has only its headers is this reader's own choice.
        record.flags &= <uint8_t>~FT_F_TRUNCATED
        return stream.put(&record, &tag, &packet, &at)

    cdef int block(self, Ring ring, Stream stream, tpacket_block_desc *block) except -1 nogil:
        cdef const uint8_t *frame = <const uint8_t *>block + block.hdr.bh1.offset_to_first_pkt
        cdef int64_t latest = now(CLOCK_MONOTONIC)
        cdef int64_t offset = latest - now(CLOCK_REALTIME)
        cdef const uint8_t *following
        cdef uint32_t i
        for i in range(block.hdr.bh1.num_pkts):
            following = frame + (<const tpacket3_hdr *>frame).tp_next_offset
            __builtin_prefetch(following)
            __builtin_prefetch(following + 64)
            __builtin_prefetch(following + 128)
            # A packet that the virtio_net header cannot describe (SCTP or UFO segments, before Linux 6.2 those of UDP)
            # leaves its place without status and content, and is counted as dropped.
            if (<const tpacket3_hdr *>frame).tp_status & TP_STATUS_USER:
                ring.packets += 1
                self.packet(ring, stream, frame, offset, latest)
            frame = following
        return 0

    def drain(self, Ring ring not None, uint32_t limit):
        """Take out up to `limit` blocks; return whether that was all there was."""
        cdef Stream stream = ring.stream
        cdef tpacket_block_desc *block
        cdef bint empty = False
        cdef uint32_t i
        if ring.size == 0:
            return True
        with nogil:
            for i in range(limit):
                block = <tpacket_block_desc *>(ring.memory + <size_t>ring.next * ring.block_size)
                if not __atomic_load_n(&block.hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER:
                    empty = True
                    break
                try:
                    self.block(ring, stream, block)
                finally:
                    __atomic_store_n(&block.hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE)
                    ring.next = ring.next + 1 if ring.next + 1 < ring.blocks else 0
        return empty
