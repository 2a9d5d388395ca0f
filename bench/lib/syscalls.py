"""System calls and switches of processes, counted by the kernel.

perf stat(1) counts at tracepoints, which takes some 0.1 µs a call. A tracer
such as strace(1) stops the process at each call: what it waits for is then
there before it looks, so it makes other calls than it would alone."""

import collections
import pathlib
import subprocess
import tempfile

import cpu
import loading

ALL = "raw_syscalls:sys_enter"

# What a peer may do for a request. Others are told as one number.
NAMES = ["read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg",
         "sendmsg", "poll", "ppoll", "select", "epoll_wait", "epoll_pwait",
         "epoll_ctl", "accept4", "close", "shutdown", "fcntl", "ioctl",
         "dup3", "connect", "setsockopt", "getsockopt", "futex",
         "rt_sigpending", "rt_sigprocmask", "kill", "getppid",
         "clock_gettime", "gettimeofday", "madvise", "brk", "mmap", "munmap",
         "sched_yield", "getrandom", "io_uring_enter"]


def _switches(pids):
    found = collections.Counter()
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if "ctxt_switches" in line:
                    name, _colon, value = line.partition(":")
                    found[name] += int(value)
    return found


def _perf(pids, events, command):
    """What the command printed, and how often the processes came by each."""
    with tempfile.NamedTemporaryFile("r", prefix="tallyd-perf.") as table:
        done = subprocess.run(
            ["perf", "stat", "-x,", "-o", table.name, "-e", ",".join(events),
             "-p", ",".join(map(str, pids)), "--", *command],
            stdout=subprocess.PIPE, text=True, check=True)
        rows = [line.split(",") for line in table if line[0].isdigit()]
    return done.stdout, {row[2]: int(row[0]) for row in rows}


def summed(pid, command):
    """(system calls, voluntary, other switches), a request, of the tree of
    processes of `pid` while `command`, loading.command(), makes requests."""
    pids = cpu.tree(pid)
    before = _switches(pids)
    printed, found = _perf(pids, [ALL], command)
    now = _switches(pids)
    now.subtract(before)
    n = loading.well(printed)
    return (found[ALL] / n, now["voluntary_ctxt_switches"] / n,
            now["nonvoluntary_ctxt_switches"] / n)


def named(pid, command):
    """{call: times}, a request, as summed() does it. With so many tracepoints
    a switch of process takes longer; the calls are the same."""
    events = {name: f"syscalls:sys_enter_{name}" for name in NAMES}
    printed, found = _perf(cpu.tree(pid), [ALL, *events.values()], command)
    n = loading.well(printed)
    calls = {name: found[event] / n for name, event in events.items()}
    return {**calls, "other calls": found[ALL] / n - sum(calls.values())}
