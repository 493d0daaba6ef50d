# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bpf(2) system call: maps and programs by file descriptor, by id and by name in the BPF file system."""

from cpython.exc cimport PyErr_SetFromErrno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef extern from "<linux/bpf.h>" nogil:
    # The unnamed members of the union, flattened: what C calls them is the same.
    union bpf_attr:
        uint32_t map_type
        uint32_t key_size
        uint32_t value_size
        uint32_t max_entries
        char *map_name
        uint32_t map_fd
        uint64_t key
        uint64_t value
        uint64_t flags
        uint32_t prog_type
        uint32_t insn_cnt
        uint64_t insns
        uint64_t license
        uint32_t log_level
        uint32_t log_size
        uint64_t log_buf
        char *prog_name
        uint64_t pathname
        uint32_t bpf_fd
        uint32_t prog_id
        uint32_t map_id
        uint32_t test_fd "test.prog_fd"
        uint32_t test_flags "test.flags"
        uint32_t test_cpu "test.cpu"
        uint32_t info_fd "info.bpf_fd"
        uint32_t info_len "info.info_len"
        uint64_t info "info.info"

    struct bpf_prog_info:
        uint32_t id
        uint32_t nr_map_ids
        uint64_t map_ids
        char *name

    struct bpf_map_info:
        uint32_t type
        uint32_t key_size
        uint32_t value_size
        uint32_t max_entries
        char *name

    int BPF_MAP_CREATE
    int BPF_MAP_LOOKUP_ELEM
    int BPF_MAP_UPDATE_ELEM
    int BPF_MAP_DELETE_ELEM
    int BPF_PROG_LOAD
    int BPF_OBJ_PIN
    int BPF_OBJ_GET
    int BPF_PROG_GET_FD_BY_ID
    int BPF_MAP_GET_FD_BY_ID
    int BPF_OBJ_GET_INFO_BY_FD
    int BPF_PROG_TEST_RUN
    uint32_t BPF_F_TEST_RUN_ON_CPU

cdef extern from "<sys/syscall.h>" nogil:
    long SYS_bpf

cdef extern from "<sched.h>" nogil:
    int sched_getcpu()

cdef extern from "<unistd.h>" nogil:
    long syscall(long number, ...)


cdef long call(int command, bpf_attr *attr) except -1:
    cdef long result = syscall(SYS_bpf, command, attr, sizeof(bpf_attr))
    if result < 0:
        PyErr_SetFromErrno(OSError)
    return result


cdef void put_name(char *to, str name):
    text = name.encode("ascii")[:15]
    memcpy(to, <const char *>text, len(text))


def create_map(uint32_t kind, uint32_t key_size, uint32_t value_size, uint32_t entries, str name not None):
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.map_type = kind
    attr.key_size = key_size
    attr.value_size = value_size
    attr.max_entries = entries
    put_name(attr.map_name, name)
    return call(BPF_MAP_CREATE, &attr)


def load_program(uint32_t kind, const uint8_t[::1] instructions not None, str name not None, uint8_t[::1] log=None):
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.prog_type = kind
    attr.insns = <uint64_t>&instructions[0]
    attr.insn_cnt = <uint32_t>(instructions.shape[0] // 8)
    attr.license = <uint64_t><const char *>b"GPL"
    put_name(attr.prog_name, name)
    if log is not None:
        attr.log_level = 1
        attr.log_size = <uint32_t>log.shape[0]
        attr.log_buf = <uint64_t>&log[0]
    return call(BPF_PROG_LOAD, &attr)


cdef long element(int command, int fd, const uint8_t *key, const uint8_t *value) except -1:
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.map_fd = fd
    attr.key = <uint64_t>key
    attr.value = <uint64_t>value
    return call(command, &attr)


def map_lookup(int fd, const uint8_t[::1] key not None, uint8_t[::1] value not None):
    element(BPF_MAP_LOOKUP_ELEM, fd, &key[0], &value[0])


def map_update(int fd, const uint8_t[::1] key not None, const uint8_t[::1] value not None):
    element(BPF_MAP_UPDATE_ELEM, fd, &key[0], &value[0])


def map_delete(int fd, const uint8_t[::1] key not None):
    element(BPF_MAP_DELETE_ELEM, fd, &key[0], NULL)


cdef long ask(int fd, void *info, uint32_t size) except -1:
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.info_fd = fd
    attr.info_len = size
    attr.info = <uint64_t>info
    return call(BPF_OBJ_GET_INFO_BY_FD, &attr)


def map_info(int fd):
    cdef bpf_map_info info
    memset(&info, 0, sizeof(info))
    ask(fd, &info, sizeof(info))
    return info.type, info.key_size, info.value_size, info.max_entries, (<bytes>info.name).decode()


def program_info(int fd):
    cdef bpf_prog_info info
    cdef uint32_t maps[64]
    memset(&info, 0, sizeof(info))
    info.nr_map_ids = 64
    info.map_ids = <uint64_t>maps
    ask(fd, &info, sizeof(info))
    return info.id, (<bytes>info.name).decode(), [maps[i] for i in range(min(info.nr_map_ids, 64))]


def run_on(int fd, uint32_t cpu):
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.test_fd = fd
    attr.test_flags = BPF_F_TEST_RUN_ON_CPU
    attr.test_cpu = cpu
    call(BPF_PROG_TEST_RUN, &attr)


def present_cpu():
    return sched_getcpu()


def program_by_id(uint32_t number):
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.prog_id = number
    return call(BPF_PROG_GET_FD_BY_ID, &attr)


def map_by_id(uint32_t number):
    cdef bpf_attr attr
    memset(&attr, 0, sizeof(attr))
    attr.map_id = number
    return call(BPF_MAP_GET_FD_BY_ID, &attr)


def pin(int fd, str path not None):
    cdef bpf_attr attr
    name = path.encode()
    memset(&attr, 0, sizeof(attr))
    attr.bpf_fd = fd
    attr.pathname = <uint64_t><const char *>name
    call(BPF_OBJ_PIN, &attr)


def pinned(str path not None):
    cdef bpf_attr attr
    name = path.encode()
    memset(&attr, 0, sizeof(attr))
    attr.pathname = <uint64_t><const char *>name
    return call(BPF_OBJ_GET, &attr)
