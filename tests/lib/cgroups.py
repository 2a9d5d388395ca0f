"""Cgroups of a test's own (cgroups(7), version 2)."""

import os
import re
import time


def find_place():
    """The directory of the cgroup that we are in, below which others can be
    made; None: no hierarchy of version 2 is mounted."""
    own = re.search(r"^0::(.*)$", _read("/proc/self/cgroup"), re.M)
    for line in _read("/proc/self/mountinfo").splitlines():
        fields = line.split()
        if own and fields[fields.index("-") + 1] == "cgroup2":
            inside = os.path.relpath(own[1], fields[3])
            return os.path.normpath(os.path.join(fields[4], inside))
    return None


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def remove(path, limit=10.0):
    """Remove a cgroup and all below it. Their processes are killed already, but
    may take their time. False: they took too long."""
    deadline = time.monotonic() + limit
    while os.path.isdir(path):
        for place, _children, _files in os.walk(path, topdown=False):
            try:
                os.rmdir(place)
            except OSError:
                continue
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
