"""What every scenario needs: a private directory and address, processes that
cannot outlive the test, and waiting for a condition with a deadline."""

import atexit
import ctypes
import errno
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import tap
from procfs import children_of, command_of, group_of, is_alive, is_dying
from watchdog import Watchdog

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
CONF = TOP / "conf"

PR_SET_CHILD_SUBREAPER = 36

# What a sanitizer or valgrind writes when it has found something.
REPORTS = re.compile(
    r"(Address|Leak|UndefinedBehavior|Memory|Thread)Sanitizer|"
    r": runtime error: |^==\d+== .*(uninitialised|definitely lost|overlap|"
    r"Invalid (read|write|free)|Mismatched free|ERROR SUMMARY: [1-9])", re.M)


# --- The programs under test. ---

def _find_program(variable, name):
    for place in (os.environ.get(variable), f"src/{name}",
                  TOP / "build/src" / name, TOP / "src" / name):
        if place and os.access(place, os.X_OK):
            return os.path.abspath(place)
    return None


TALLYD = _find_program("TALLYD", "tallyd")
TALLYCTL = _find_program("TALLYCTL", "tallyctl")
# Taken out of the environment: for the program under test, what begins with
# TALLYD_ is a setting.
WRAPPER = shlex.split(os.environ.pop("TALLYD_WRAPPER", ""))


def _time_scale():
    """How much slower than usual the programs are."""
    if "TALLYD_TIME_SCALE" in os.environ:
        return float(os.environ.pop("TALLYD_TIME_SCALE"))
    if WRAPPER:
        return 8.0
    return 3.0 if SANITIZED else 1.0


def _has(symbol):
    return (TALLYD is not None
            and symbol in pathlib.Path(TALLYD).read_bytes())


SANITIZED = _has(b"__asan_init")
COVERED = _has(b"__llvm_profile")  # counts which lines run
TIME_SCALE = _time_scale()


def tallyd(*arguments):
    """The command line of tallyd, wrapped as the caller of the test wants."""
    if TALLYD is None:
        raise tap.BailOut("there is no tallyd; build it or set TALLYD")
    return [*WRAPPER, TALLYD, *map(str, arguments)]


def find_server(name):
    """Servers live in sbin, which the PATH of a user may lack."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"
    return shutil.which(name, path=path)


def need_server(name):
    """The same; a test is skipped where there is none."""
    path = find_server(name)
    if path is None:
        raise tap.Skip(f"{name} is not installed")
    return path


# --- A place of our own. ---

def _own_address():
    """A loopback address that only this test uses: no port of it can be taken
    by a test that runs at the same time."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16 & 63)}.{pid >> 8 & 255}.{pid & 255 or 1}"


HOST = _own_address()


_given_ports = set()
_dice = random.Random()


def free_port(host=HOST):
    """One that was not given before, and that the kernel does not give, either,
    to those who take any (ip_local_port_range): until it is listened on, it is
    free to all."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = _dice.randrange(10000, 32000)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if port not in _given_ports and is_free(probe, (host, port)):
                _given_ports.add(port)
                return port


def is_free(probe, address):
    try:
        probe.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _private_directory():
    """Its path is short enough for a unix socket, and others may pass through
    it: web servers started by root run as somebody else."""
    parent = tempfile.gettempdir()
    path = pathlib.Path(tempfile.mkdtemp(
        prefix="tallyd-", dir=parent if len(parent) < 50 else "/tmp"))
    path.chmod(0o755)
    return path


# --- Waiting. ---

def seconds(usual):
    """A time for a setting, longer where the programs are slower."""
    return usual * TIME_SCALE


def wait_limit(usual=10.0):
    """How long to wait for what is sure to come and takes `usual` seconds at
    the very most on an idle machine. Waiting costs nothing when it comes, so
    nobody's machine is too slow; what must come before something else happens
    is told apart by making the other thing come much later than this."""
    return max(60.0, 6 * seconds(usual))


def until(what, predicate, limit=10.0, beat=0.01):
    """Wait until `predicate()` is true and give what it gave."""
    deadline = time.monotonic() + wait_limit(limit)
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > deadline:
            raise tap.Failure(f"not within {wait_limit(limit):g} s: {what}")
        time.sleep(beat)


# --- Processes. ---

def _start_kit():
    # What loses its parent comes to us, so that it can be seen and ended.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE,
                       (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    directory = _private_directory()
    return directory, Watchdog(directory)


DIRECTORY, _watchdog = _start_kit()
_running = []  # every Process that has not been stopped
_serial = iter(range(1, 1 << 30))


def fresh_path(name):
    """A path in the private directory that nobody has had."""
    return DIRECTORY / f"{next(_serial)}-{name}"


def kill_group(group):
    """False when there is none."""
    try:
        os.killpg(group, signal.SIGKILL)
        return True
    except OSError:
        return False


def reap_group(group):
    """Wait until nothing of a killed group is left; all of it comes to us,
    one generation after the other."""
    while kill_group(group):
        try:
            os.waitpid(-group, 0)
        except ChildProcessError:
            time.sleep(0.002)


class Process:
    """A program in a session of its own, with what it prints in `log_path`.
    Ended at the end of the test, whatever happens."""

    def __init__(self, name, command, env=None, stdin=None, pass_fds=(),
                 log_path=None, cwd=None):
        self.name = name
        self.log_path = pathlib.Path(log_path or fresh_path(name + ".log"))
        environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1",
                       **(env or {})}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                env=environment, pass_fds=pass_fds, cwd=cwd or DIRECTORY,
                start_new_session=True)
        self.pid = self.process.pid
        _watchdog.tell("+", self.pid)
        _running.append(self)

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def status(self):
        """None while it runs; else its exit status, or minus the signal."""
        return self.process.poll()

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, limit=10.0):
        """Its exit status; Failure when it does not end in time."""
        try:
            return self.process.wait(wait_limit(limit))
        except subprocess.TimeoutExpired:
            raise tap.Failure(f"{self.name} (pid {self.pid}) has not ended "
                              f"within {wait_limit(limit):g} s") from None

    def wait_for_log(self, part, limit=10.0):
        """Wait until the log contains `part`; gives the log."""
        def look():
            text = self.log()
            if part not in text and self.status() is not None:
                raise tap.Failure(f"{self.name} ended with {self.status()} "
                                  f"and never said {part!r}")
            return text if part in text else None
        return until(f"{self.name} logs {part!r}", look, limit)

    def stop(self, number=signal.SIGTERM, limit=10.0):
        """Signal it, wait, and give its exit status."""
        left = []
        try:
            if self.status() is None:
                self.send(number)
                self.wait(limit)
            left = self.left_behind()
        finally:
            self.end()
        tap.check(not left, f"{self.name} ended and left running: {left}")
        return self.process.returncode

    def left_behind(self):
        """What is alive of its group now that it has ended itself. What the
        kernel has killed with it (PR_SET_PDEATHSIG) is not."""
        return [f"{pid} ({command_of(pid).strip()})"
                for pid in children_of(os.getpid())
                if group_of(pid) == self.pid and is_alive(pid)
                and not is_dying(pid)]

    def end(self):
        """Nothing of its group is left after this. Can be called again."""
        if self not in _running:
            return
        _running.remove(self)
        kill_group(self.pid)
        self.process.wait()
        reap_group(self.pid)
        _watchdog.tell("-", self.pid)
        self.check_reports()

    def check_reports(self):
        """Failure when a sanitizer or valgrind has something to say."""
        text = self.log()
        match = REPORTS.search(text)
        if match:
            start = text.rfind("\n", 0, match.start()) + 1
            raise tap.Failure(f"{self.name}: report of the sanitizer:\n"
                              + text[start:start + 4000])

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.stop()


def watch_cgroup(path, there=True):
    """It is removed when the test is killed; not `there`: no longer."""
    _watchdog.tell("+" if there else "-", path)


# --- Between tests. ---

_keep = set()  # processes that more than one test uses


def share(process):
    """Leave this process running after the test that started it."""
    _keep.add(process)
    return process


def tails():
    """The last lines of every log, for the report of a failure."""
    for process in _running:
        yield f"--- {process.name} (pid {process.pid}, " + (
            "running" if process.status() is None
            else f"ended with {process.status()}") + "), last lines:"
        yield from process.log().splitlines()[-25:]


def _orphans():
    known = {process.pid for process in _running} | {_watchdog.pid}
    return [pid for pid in children_of(os.getpid()) if pid not in known]


def end_orphans():
    """End and name what a process left behind when it ended."""
    named = []
    for pid in _orphans():
        if is_alive(pid) and not is_dying(pid):
            named.append(f"{pid} ({command_of(pid).strip()})")
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            continue
    return named


def _finish_test(failed):
    faults = []
    for process in list(_running):
        if process not in _keep:
            try:
                process.end()
            except tap.Failure as fault:
                faults.append(str(fault))
    left = end_orphans()
    if left:
        faults.append("left running: " + ", ".join(left))
    if faults and not failed:
        raise tap.Failure("\n".join(faults))


def run():
    """Run the tests of the file; the status to exit with."""
    status = tap.run()
    _keep.clear()
    try:
        _finish_test(False)
    except tap.Failure as fault:
        tap.note(f"after the last test: {fault}")
        status = 1
    return status


def _leave(owner=os.getpid()):
    if os.getpid() != owner:
        return
    for process in list(_running):
        try:
            process.end()
        except (OSError, tap.Failure):
            continue
    end_orphans()
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    _watchdog.dismiss()


def _stop_by_signal(number, _frame):
    raise SystemExit(128 + number)


atexit.register(_leave)
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, _stop_by_signal)
tap.on_failure(tails)
tap.after_each(_finish_test)
