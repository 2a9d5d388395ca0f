"""CPU time and memory of processes, from /proc (proc(5))."""

import os
import pathlib

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and all its descendants."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            text = pathlib.Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        todo += map(int, text.split())
    return found


def seconds(pid):
    """Time on a CPU of the whole tree, of every thread. From schedstat, which
    counts nanoseconds: stat counts ticks of 10 ms, too coarse for hundreds of
    processes."""
    used = 0
    for one in tree(pid):
        for part in pathlib.Path(f"/proc/{one}/task").glob("*/schedstat"):
            try:
                used += int(part.read_text().split()[0])
            except OSError:
                continue
    return used / 1e9


def machine():
    """(busy, all) seconds of all cores together since the machine started."""
    line = pathlib.Path("/proc/stat").read_text().splitlines()[0]
    ticks = [int(word) / TICK for word in line.split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def private_kb(pid):
    """Memory in KB that one process has made its own by writing to it. Pages of
    a program that it alone has read so far are not: one copy serves all."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.startswith("Private_Dirty"))


def pss_kb(pid):
    """Memory in KB of one process, what it shares divided by those that share
    it; 0 when it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines()
                 if line.startswith("Pss:")), 0)
