"""A pool whose workers die, or stop, right after a system call that the test
has chosen: see tests/scenario/deaths_preload.c."""

import mmap
import os
import signal
import struct

import kit
import tap
from pool import Pool

LIBRARY = os.path.join(os.path.dirname(kit.TALLYD or ""), "..", "tests",
                       "scenario", "deaths_preload.so")
CONTROL = struct.Struct("=4i16s")


class Deaths:
    """`pool` is the pool; `sent` how many workers were hit so far."""

    def __init__(self, endpoints=None, **settings):
        if not os.access(LIBRARY, os.R_OK):
            raise tap.Skip("deaths_preload.so is not built")
        if kit.SANITIZED or kit.WRAPPER:
            raise tap.Skip("a preloaded library would be in the way")
        path = kit.fresh_path("deaths")
        path.write_bytes(bytes(CONTROL.size))
        with path.open("r+b") as file:
            self.control = mmap.mmap(file.fileno(), CONTROL.size)
        # A sandbox would not let a worker kill itself.
        settings.setdefault("sandbox", "off")
        self.pool = Pool(endpoints, env={"LD_PRELOAD": os.path.abspath(LIBRARY),
                                         "DEATHS": str(path)}, **settings)

    def _set(self, at, value):
        struct.pack_into("=i", self.control, 4 * at, value)

    def hit_after(self, calls, kind="", number=signal.SIGKILL):
        """The worker that makes the last of so many calls of a kind from now
        on gets this signal; no calls: nobody."""
        self._set(0, 0)
        struct.pack_into("=16s", self.control, 16, kind.encode())
        self._set(1, number)
        self._set(0, calls)

    def refuse(self, count):
        """So many times there is no descriptor for a new connection."""
        self._set(3, count)

    @property
    def sent(self):
        return CONTROL.unpack(self.control[:])[2]
