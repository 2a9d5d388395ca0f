"""The systemd units of conf/, and the system calls they allow, without a
systemd that runs; system.py has one."""

import errno
import os
import re
import shutil
import struct
import subprocess

import kit
import tap

ANALYZE = shutil.which("systemd-analyze")

# linux/seccomp.h, linux/filter.h, linux/audit.h
ALLOW, ERRNO, KILL = 0x7fff0000, 0x00050000, 0x80000000
LOAD, EQUAL, SET, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER, ARGUMENT = 0, 16  # offsets in struct seccomp_data
PROT_WRITE, PROT_EXEC = 2, 4
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


def need_systemd():
    if ANALYZE is None:
        raise tap.Skip("systemd-analyze is not installed")


def write_units():
    """All units of conf/ as they would be installed, with the programs under
    test; gives their directory."""
    place = kit.fresh_path("units")
    place.mkdir()
    for path in sorted((kit.CONF / "systemd").iterdir()):
        text = path.read_text().replace("@sbindir@/tallyd", kit.tallyd()[-1])
        text = text.replace("@bindir@/tallyctl", str(kit.TALLYCTL))
        text = text.replace("@sysconfdir@", "/etc")
        (place / path.name.removesuffix(".in")).write_text(text)
    return place


def values(unit, key):
    """What a unit says for a key, one string a line."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.M)


# --- System calls. ---

def _expand(name, seen=()):
    """The calls of a set such as @resources, by systemd-analyze."""
    if not name.startswith("@"):
        return {name}
    out = subprocess.run([ANALYZE, "--no-pager", "syscall-filter", name],
                         capture_output=True, text=True, check=True,
                         timeout=kit.wait_limit(20)).stdout
    calls = set()
    for word in re.sub(r"^\s*#.*$", "", out, flags=re.M).split():
        if word not in seen and word != name:
            calls |= _expand(word, (*seen, name))
    return calls


def allowed_calls(unit):
    """The names that SystemCallFilter= leaves: first a list of what is allowed,
    then, with ~, of what is not."""
    calls = set()
    for line in values(unit, "SystemCallFilter"):
        names = set().union(*map(_expand, line.removeprefix("~").split()))
        calls = calls - names if line.startswith("~") else calls | names
    return calls


def numbers():
    """{name: number} of this machine's system calls."""
    out = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x",
                          "c", os.devnull], capture_output=True, text=True,
                         check=True, timeout=kit.wait_limit(20)).stdout
    return {name: int(number) for name, number in
            re.findall(r"^#define __NR_(\w+) (\d+)$", out, re.M)}


def _instruction(code, value, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, value)


def _when(number, *then):
    """For this call, these instructions; they return, or fall through with the
    number loaded again."""
    body = [*then, _instruction(LOAD, NUMBER)]
    return [_instruction(EQUAL, number, 0, len(body)), *body]


def _argument(place):
    return _instruction(LOAD, ARGUMENT + 8 * place)


def _give(what):
    return _instruction(RETURN, what)


def _unless(place, values_allowed, what):
    """Return `what` if the argument is none of these."""
    return [_argument(place)] + [
        _instruction(EQUAL, value, len(values_allowed) - at, 0)
        for at, value in enumerate(values_allowed)] + [_give(what)]


def make_filter(unit, refused):
    """A program for seccomp(2) that is to a process what the unit's
    SystemCallFilter, MemoryDenyWriteExecute, RestrictNamespaces,
    RestrictRealtime and RestrictAddressFamilies are; `refused` is what others
    get."""
    known = numbers()
    nosys, family = ERRNO | errno.ENOSYS, ERRNO | errno.EAFNOSUPPORT
    program = [_instruction(LOAD, NUMBER)]
    # Its flags are in memory, so systemd has glibc fall back to clone(2).
    program += _when(known["clone3"], _give(nosys))
    for name in ("mprotect", "pkey_mprotect"):
        program += _when(known[name], _argument(2),
                         _instruction(SET, PROT_EXEC, 0, 1), _give(refused))
    program += _when(known["mmap"], _argument(2),
                     _instruction(SET, PROT_WRITE, 0, 2),
                     _instruction(SET, PROT_EXEC, 0, 1), _give(refused))
    families = [FAMILIES[name] for name in
                values(unit, "RestrictAddressFamilies")[0].split()]
    program += _when(known["socket"], *_unless(0, families, family))
    program += _when(known["sched_setscheduler"], *_unless(
        1, [os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE], refused))
    for name in sorted(allowed_calls(unit) & known.keys()):
        program += [_instruction(EQUAL, known[name], 0, 1), _give(ALLOW)]
    return b"".join([*program, _give(refused)])


# Becomes the program in argv[2:] under the filter in the file argv[1].
CONFINE = """
import ctypes, os, sys
code = open(sys.argv[1], "rb").read()
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]
room = ctypes.create_string_buffer(code)
program = Program(len(code) // 8, ctypes.addressof(room))
prctl = ctypes.CDLL(None, use_errno=True).prctl
prctl.argtypes = [ctypes.c_int] + 4 * [ctypes.c_ulong]
if prctl(38, 1, 0, 0, 0) or prctl(22, 2, ctypes.addressof(program), 0, 0):
    sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
"""
