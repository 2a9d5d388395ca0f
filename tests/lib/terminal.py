"""A terminal with tallyctl top in it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import kit
import tap

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A terminal of some size with tallyctl top in it."""

    def __init__(self, pool, rows=24, columns=80):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.text = ""
        self.process = subprocess.Popen(
            [kit.TALLYCTL, "-c", pool.config, "top"], stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def read(self):
        """What has come so far, without waiting."""
        while select.select([self.ours], [], [], 0)[0]:
            self.text += os.read(self.ours, 65536).decode()
        return self.text

    def wait_for(self, part, count=1):
        kit.until(f"the terminal shows {part!r}",
                  lambda: self.read().count(part) >= count)

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def end(self):
        """Its exit status; the terminal must be as it was."""
        deadline = time.monotonic() + kit.wait_limit(10)
        while self.process.poll() is None:
            tap.check(time.monotonic() < deadline, "top does not end")
            self.read()
            time.sleep(0.01)
        self.read()
        tap.contains(self.text, ENTER, "the start")
        tap.contains(self.text.rsplit(ENTER, 1)[1], LEAVE, "the end")
        tap.equal(termios.tcgetattr(self.theirs), self.before, "the terminal")
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)
