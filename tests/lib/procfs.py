"""What /proc says of processes."""

import contextlib
import os
import pathlib
import re
import signal


def children_of(pid):
    """The pids of the children of a process, oldest first."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        return sorted(found)
    return sorted(found)


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return "?"


def is_alive(pid):
    """Is it there, and not just waiting to be reaped?"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[0] not in b"ZX"
    except OSError:
        return False


PF_EXITING = 4  # include/linux/sched.h


def is_dying(pid):
    """Has SIGKILL come for it, or is it on its way out? It is there until it
    gets a CPU."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii",
                  errors="replace") as file:
            pending = re.search(r"^SigPnd:\t(\w+)", file.read(), re.M)
        with open(f"/proc/{pid}/stat", "rb") as file:
            flags = int(file.read().rsplit(b")", 1)[1].split()[6])
    except OSError:
        return True
    killed = 1 << (signal.SIGKILL - 1)
    return bool(pending and int(pending[1], 16) & killed
                or flags & PF_EXITING)


def cpu_seconds(pid):
    """User and system time the process has had."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def group_of(pid):
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def has_pending(pid):
    """Has a signal come that the process has not heard yet?"""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/status").read_text("utf-8")
        return re.search(r"^(ShdPnd|SigPnd):\t0*[1-9a-f]", text,
                         re.M) is not None
    return False


def kill(pid, number=signal.SIGKILL):
    """Signal a process that may have gone by itself; False when it has."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def switches(pid):
    """How often the process has got or lost the CPU."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file
                   if "voluntary_ctxt_switches" in line)


def state_of(pid):
    """The letter of its state: R, S, D, T, Z."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()[0].decode()
