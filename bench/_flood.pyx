# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends the packets of bpf/flood.h in batches: through a packet socket, or by running an XDP program on live frames."""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset


cdef extern from "flood.h" nogil:
    struct ft_flood:
        uint32_t kind
        uint32_t flows
        uint32_t payload
        uint32_t handshake
        uint32_t client
        uint32_t server
        uint32_t port
        uint32_t sum
        uint32_t flow
        uint32_t round
        uint32_t action
        uint32_t interface

    int FT_FLOOD_TCP
    int FT_FLOOD_UDP
    int FT_FLOOD_SYN
    void ft_flood_next(uint8_t *frame, ft_flood *flood)


cdef extern from "<sys/uio.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len


cdef extern from "<sys/socket.h>" nogil:
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen

    struct mmsghdr:
        msghdr msg_hdr

    int sendmmsg(int descriptor, mmsghdr *messages, unsigned int count, int flags)


cdef extern from "<unistd.h>" nogil:
    long syscall(long number, ...)


cdef extern from "<sys/syscall.h>" nogil:
    long SYS_bpf


cdef extern from "<linux/bpf.h>" nogil:
    struct test_run "bpf_attr":  # never named in C: only members of the union bpf_attr are reached through it
        uint32_t prog_fd
        uint32_t repeat
        uint32_t data_size_in
        uint64_t data_in
        uint32_t ctx_size_in
        uint64_t ctx_in
        uint32_t flags
        uint32_t batch_size

    union bpf_attr:
        test_run test

    struct xdp_md:
        uint32_t data
        uint32_t data_end
        uint32_t ingress_ifindex

    int BPF_PROG_TEST_RUN
    uint32_t BPF_F_TEST_XDP_LIVE_FRAMES

cdef enum:
    BATCH = 128  # frames of one system call

KINDS: tuple = ("tcp", "udp", "syn")
XDP_ACTIONS: dict = {"pass": 2, "tx": 3, "redirect": 4}


def settings(*, uint32_t kind, uint32_t flows, uint32_t payload, uint32_t handshake, uint32_t client, uint32_t server,
             uint32_t port, uint32_t sum, uint32_t action=0, uint32_t interface=0):
    """Return struct ft_flood as bytes, for the eBPF program's map or a Sender."""
    cdef ft_flood flood = ft_flood(kind=kind, flows=flows, payload=payload, handshake=handshake, client=client,
                                   server=server, port=port, sum=sum, flow=0, round=0, action=action,
                                   interface=interface)
    return (<uint8_t *>&flood)[: sizeof(ft_flood)]


@cython.final
cdef class Sender:
    """Frames made from one template, sent through a packet socket with sendmmsg."""

    cdef ft_flood flood
    cdef uint8_t *frames
    cdef mmsghdr *messages
    cdef iovec *pieces
    cdef int descriptor

    def __cinit__(self, int descriptor, const uint8_t[::1] flood not None, const uint8_t[::1] template not None):
        cdef Py_ssize_t size = template.shape[0]
        cdef int i
        if flood.shape[0] != sizeof(ft_flood) or size < 74:
            raise ValueError("no settings of a flood, or a template shorter than its headers")
        memcpy(&self.flood, &flood[0], sizeof(ft_flood))
        self.descriptor = descriptor
        self.frames = <uint8_t *>PyMem_Calloc(BATCH, size)
        self.messages = <mmsghdr *>PyMem_Calloc(BATCH, sizeof(mmsghdr))
        self.pieces = <iovec *>PyMem_Calloc(BATCH, sizeof(iovec))
        if self.frames == NULL or self.messages == NULL or self.pieces == NULL:
            raise MemoryError("no memory for the frames of a flood")
        for i in range(BATCH):
            memcpy(self.frames + i * size, &template[0], size)
            self.pieces[i] = iovec(iov_base=self.frames + i * size, iov_len=size)
            self.messages[i].msg_hdr.msg_iov = &self.pieces[i]
            self.messages[i].msg_hdr.msg_iovlen = 1

    def __dealloc__(self):
        PyMem_Free(self.frames)
        PyMem_Free(self.messages)
        PyMem_Free(self.pieces)

    def send(self, uint32_t count):
        """Send the next `count` packets, all of them; return how often the device's queue was full. OSError."""
        cdef uint32_t left = count, part, full = 0
        cdef int done, i, sent, error = 0
        with nogil:
            while left and not error:
                part = left if left < BATCH else BATCH
                for i in range(part):
                    ft_flood_next(<uint8_t *>self.pieces[i].iov_base, &self.flood)
                done = 0
                while done < <int>part:
                    sent = sendmmsg(self.descriptor, self.messages + done, part - done, 0)
                    if sent > 0:
                        done += sent
                    elif errno == ENOBUFS or errno == EAGAIN or errno == EINTR:
                        full += 1
                        if full > 1000000:
                            error = errno
                            break
                    else:
                        error = errno
                        break
                left -= part
        if error:
            raise OSError(error, "sendmmsg")
        return full


def run_live(int program, uint32_t interface, const uint8_t[::1] template not None, uint32_t count):
    """Run an XDP program on `count` frames that `interface` seems to have received, and do what it says. OSError."""
    cdef bpf_attr attributes
    cdef xdp_md context
    cdef long result
    memset(&attributes, 0, sizeof(attributes))
    memset(&context, 0, sizeof(context))
    context.data_end = <uint32_t>template.shape[0]
    context.ingress_ifindex = interface
    attributes.test.prog_fd = program
    attributes.test.repeat = count
    attributes.test.data_in = <uint64_t>&template[0]
    attributes.test.data_size_in = <uint32_t>template.shape[0]
    attributes.test.ctx_in = <uint64_t>&context
    attributes.test.ctx_size_in = sizeof(context)
    attributes.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES
    attributes.test.batch_size = BATCH
    with nogil:
        result = syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof(attributes))
    if result < 0:
        raise OSError(errno, "BPF_PROG_TEST_RUN on live frames (needs Linux 5.18 and CAP_SYS_ADMIN or CAP_BPF)")
