#!/usr/bin/env python3
"""tallyd as process 1 of a PID namespace (pid_namespaces(7)), as it is in a
container: what init has to do falls to it."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from pool import Pool, serves

UNSHARE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


class Contained(Pool):
    """A pool whose supervisor is process 1, of a namespace with a /proc of its
    own. `program` is the file that it was started by."""

    def __init__(self, **settings):
        if kit.WRAPPER:
            raise tap.Skip("the program that is executed is the wrapper")
        tried = subprocess.run([*UNSHARE, "true"], capture_output=True,
                               text=True, check=False)
        if tried.returncode != 0:
            raise tap.Skip(tried.stderr.strip())
        self.program = kit.fresh_path("tallyd")
        self.install()
        super().__init__(through=self._as_init, log_level="info", **settings)

    def _as_init(self, command):
        return [*UNSHARE, self.program, *command[1:]]

    def install(self):
        """Replace it as a package does: another file under the same name."""
        fresh = kit.fresh_path("fresh")
        shutil.copy(kit.TALLYD, fresh)
        os.rename(fresh, self.program)

    @property
    def pid(self):
        return procfs.children_of(self.process.pid)[0]

    def call(self, *command):
        """Run a command in there, to its end; gives what it printed."""
        done = subprocess.run(
            ["nsenter", f"--target={self.pid}", "--pid", "--mount",
             *map(str, command)], capture_output=True, text=True, check=False,
            timeout=kit.wait_limit(60))
        tap.equal(done.returncode, 0, f"the status of {command}: "
                                      f"{done.stdout}{done.stderr}")
        return done.stdout

    def tallyctl(self, *arguments):
        return self.call(kit.TALLYCTL, "-c", self.config, *arguments)

    def stop(self):
        """TERM; gives the exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return self.process.wait()


@tap.test
def an_upgrade():
    """an upgrade: the next program is process 1, and serves"""
    pool = Contained()
    before = os.stat(f"/proc/{pool.pid}/exe").st_ino
    pool.install()
    pool.tallyctl("upgrade")
    pool.wait_for_log("serving on", limit=60)
    tap.check(os.stat(f"/proc/{pool.pid}/exe").st_ino != before,
              "it runs the old program")
    tap.contains(pool.tallyctl("status"), "pid 1", "the status")
    serves(pool)
    tap.equal(pool.stop(), 0, "the exit status")


@tap.test
def a_reload():
    """a reload from inside"""
    pool = Contained()
    pool.tallyctl("reload")
    serves(pool)
    tap.equal(pool.stop(), 0, "the exit status")


@tap.test
def orphans():
    """processes that lose their parent are waited for when they end, and are no
    workers that died"""
    pool = Contained()
    pool.call("sh", "-c", "for n in 1 2 3; do\nsleep 3600 >/dev/null 2>&1 &\n"
              "done")

    def find():
        found = [pid for pid in procfs.children_of(pool.pid)
                 if procfs.command_of(pid).startswith("sleep")]
        return found if len(found) == 3 else None
    orphans = kit.until("they are children of process 1", find)
    for pid in orphans:
        os.kill(pid, signal.SIGKILL)
    kit.until("none of them is left", lambda: not (
        set(orphans) & set(procfs.children_of(pool.pid))))
    serves(pool)
    tap.equal(pool.log_lines(" died"), [], "deaths")
    tap.equal(pool.stop(), 0, "the exit status")


sys.exit(kit.run())
