# SPDX-License-Identifier: LGPL-2.1-or-later
"""The perf rings of a tap, one for each CPU, and the clock events that run its timer program.

bcc's reader calls Python through ctypes for each message and goes on while a ring is not empty: whoever fills a ring
faster than it is read never lets it end, and other rings starve. This one takes what was there when it came.
"""

import struct

cimport cython
from cpython.buffer cimport PyBUF_READ
from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.errno cimport EINTR, errno
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset
from posix.mman cimport MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap
from posix.unistd cimport close

from capture._bpf import map_update
from capture._message cimport (
    FT_BATCH, FT_HANDSHAKE_BATCH, FT_KIND_HANDSHAKES, FT_KIND_RECORDS, FT_MESSAGE_VERSION, ft_handshake_record, ft_message
)
from capture._packet cimport ft_record, ft_tag

cdef extern from "<linux/perf_event.h>" nogil:
    # The unnamed members of its unions, flattened.
    struct perf_event_attr:
        uint32_t type
        uint32_t size
        uint64_t config
        uint64_t sample_period
        uint64_t sample_freq
        uint64_t sample_type
        uint64_t freq
        uint32_t wakeup_events

    struct perf_event_mmap_page:
        uint64_t data_head
        uint64_t data_tail

    struct perf_event_header:
        uint32_t type
        uint16_t misc
        uint16_t size

    int PERF_TYPE_SOFTWARE
    int PERF_COUNT_SW_BPF_OUTPUT
    int PERF_COUNT_SW_CPU_CLOCK
    int PERF_SAMPLE_RAW
    int PERF_RECORD_SAMPLE
    unsigned long PERF_FLAG_FD_CLOEXEC
    unsigned long PERF_EVENT_IOC_ENABLE
    unsigned long PERF_EVENT_IOC_SET_BPF

cdef extern from "<sys/syscall.h>" nogil:
    long SYS_perf_event_open

cdef extern from "<sys/ioctl.h>" nogil:
    int ioctl(int fd, unsigned long request, ...)

cdef extern from "<unistd.h>" nogil:
    long syscall(long number, ...)
    long sysconf(int name)
    int _SC_PAGESIZE

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents

    int POLLIN
    int poll(pollfd *fds, unsigned long count, int timeout)

cdef extern from *:
    """
    #define ft_load_acquire(from) __atomic_load_n(from, __ATOMIC_ACQUIRE)
    #define ft_store_release(to, value) __atomic_store_n(to, value, __ATOMIC_RELEASE)
    """
    uint64_t ft_load_acquire(const uint64_t *address) nogil
    void ft_store_release(uint64_t *address, uint64_t value) nogil

cdef size_t LONGEST = 1 << 16  # of a perf record: its size has 16 bits


cdef int open_event(perf_event_attr *attr, int cpu) except -1:
    cdef int fd
    attr.size = sizeof(perf_event_attr)
    attr.type = PERF_TYPE_SOFTWARE
    fd = <int>syscall(SYS_perf_event_open, attr, <int32_t>-1, <int32_t>cpu, <int32_t>-1, PERF_FLAG_FD_CLOEXEC)
    if fd < 0:
        PyErr_SetFromErrno(OSError)
    return fd


cdef size_t message_size(const ft_message *message) noexcept nogil:
    """Length in bytes, 0 when this is no message that a kernel program sends."""
    if message.version != FT_MESSAGE_VERSION:
        return 0
    if message.kind == FT_KIND_RECORDS and message.count <= FT_BATCH:
        return sizeof(ft_message) + FT_BATCH * sizeof(ft_tag) + message.count * sizeof(ft_record)
    if message.kind == FT_KIND_HANDSHAKES and message.count <= FT_HANDSHAKE_BATCH:
        return sizeof(ft_message) + message.count * sizeof(ft_handshake_record)
    return 0


@cython.final
cdef class Rings:
    """Rings of `size` bytes each, entered into the perf event map `map_fd`."""

    cdef int count
    cdef size_t size
    cdef size_t page
    cdef perf_event_mmap_page **ring
    cdef pollfd *waiting
    cdef int *clocks
    cdef list cpus
    cdef uint8_t *joined  # a message that lies across the end of its ring
    cdef readonly unsigned long long damaged

    def __cinit__(self, int map_fd, list cpus not None, size_t size, uint32_t wakeup):
        cdef perf_event_attr attr
        cdef void *mapped
        cdef int i
        self.cpus = cpus
        self.size = size
        self.page = <size_t>sysconf(_SC_PAGESIZE)
        if size < self.page or size & (size - 1):
            raise ValueError(f"ring of {size} bytes, expected a power of two, at least {self.page}")
        self.ring = <perf_event_mmap_page **>calloc(len(cpus), sizeof(void *))
        self.waiting = <pollfd *>calloc(len(cpus), sizeof(pollfd))
        self.clocks = <int *>calloc(len(cpus), sizeof(int))
        self.joined = <uint8_t *>malloc(LONGEST)
        if self.ring == NULL or self.waiting == NULL or self.clocks == NULL or self.joined == NULL:
            raise MemoryError("no memory for the rings")
        for cpu in cpus:
            i = self.count
            memset(&attr, 0, sizeof(attr))
            attr.config = PERF_COUNT_SW_BPF_OUTPUT
            attr.sample_period = 1
            attr.sample_type = PERF_SAMPLE_RAW
            attr.wakeup_events = wakeup
            self.waiting[i].fd = open_event(&attr, cpu)
            self.waiting[i].events = POLLIN
            self.count += 1
            mapped = mmap(NULL, self.page + size, PROT_READ | PROT_WRITE, MAP_SHARED, self.waiting[i].fd, 0)
            if mapped == MAP_FAILED:
                PyErr_SetFromErrno(OSError)
            self.ring[i] = <perf_event_mmap_page *>mapped
            if ioctl(self.waiting[i].fd, PERF_EVENT_IOC_ENABLE, 0):
                PyErr_SetFromErrno(OSError)
            map_update(map_fd, struct.pack("=I", cpu), struct.pack("=i", self.waiting[i].fd))

    def clock(self, int program_fd, uint64_t hertz):
        cdef perf_event_attr attr
        cdef int i
        for i in range(self.count):
            memset(&attr, 0, sizeof(attr))
            attr.config = PERF_COUNT_SW_CPU_CLOCK
            attr.freq = 1
            attr.sample_freq = hertz
            if self.clocks[i]:
                continue
            self.clocks[i] = open_event(&attr, self.cpus[i])
            if ioctl(self.clocks[i], PERF_EVENT_IOC_SET_BPF, program_fd) or ioctl(self.clocks[i], PERF_EVENT_IOC_ENABLE, 0):
                PyErr_SetFromErrno(OSError)

    def wait(self, int timeout_ms):
        cdef int ready
        with nogil:
            ready = poll(self.waiting, self.count, timeout_ms)
        if ready < 0:
            if errno != EINTR:
                PyErr_SetFromErrno(OSError)
            PyErr_CheckSignals()
        return ready > 0

    def drain(self, forward not None):
        cdef int i, messages = 0
        cdef uint64_t head, tail
        cdef perf_event_mmap_page *ring
        cdef const perf_event_header *header
        cdef const ft_message *message
        cdef size_t at, size
        for i in range(self.count):
            ring = self.ring[i]
            if ring == NULL:
                continue
            head = ft_load_acquire(&ring.data_head)
            tail = ring.data_tail
            while tail != head:
                # records begin at multiples of 8 bytes: a header never lies across the end
                at = tail & (self.size - 1)
                header = <const perf_event_header *>(<const uint8_t *>ring + self.page + at)
                size = header.size
                if size < sizeof(perf_event_header):
                    raise RuntimeError(f"perf ring of CPU {self.cpus[i]}: a record of {size} bytes")
                tail += size
                if header.type != PERF_RECORD_SAMPLE:  # of lost samples: the program has counted them
                    ft_store_release(&ring.data_tail, tail)
                    continue
                if at + size > self.size:
                    memcpy(self.joined, header, self.size - at)
                    memcpy(self.joined + self.size - at, <const uint8_t *>ring + self.page, at + size - self.size)
                    header = <const perf_event_header *>self.joined
                # the kernel rounds the sample up: the length of the message is what it says itself
                message = <const ft_message *>(<const uint8_t *>header + sizeof(perf_event_header) + 4)
                size -= sizeof(perf_event_header) + 4
                try:
                    if size < sizeof(ft_message) or message_size(message) == 0 or message_size(message) > size:
                        self.damaged += 1
                        continue
                    messages += 1
                    view = PyMemoryView_FromMemory(<char *>message, message_size(message), PyBUF_READ)
                    forward(message.cpu, message.shard, message.kind, message.count, view)
                    view.release()
                finally:
                    ft_store_release(&ring.data_tail, tail)
        return messages

    def close(self):
        cdef int i
        for i in range(self.count):
            if self.clocks[i]:
                close(self.clocks[i])
                self.clocks[i] = 0
            if self.ring[i] != NULL:
                munmap(self.ring[i], self.page + self.size)
                self.ring[i] = NULL
            if self.waiting[i].fd >= 0:
                close(self.waiting[i].fd)
                self.waiting[i].fd = -1

    def __dealloc__(self):
        if self.ring != NULL and self.waiting != NULL and self.clocks != NULL:
            self.close()
        free(self.ring)
        free(self.waiting)
        free(self.clocks)
        free(self.joined)
