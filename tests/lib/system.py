"""A system that systemd runs as process 1, with tallyd installed there; see
boot-system."""

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import cgroups
import fastcgi
import kit
import procfs
import tap
from pool import SAMPLE, write_settings

BOOT = pathlib.Path(__file__).with_name("boot-system")
SYSTEMD = "/usr/lib/systemd/systemd"
BUILD = pathlib.Path(kit.TALLYD or "/").parent.parent
CANNOT = 77  # what boot-system ends with where no system can be had

# All that a unit may ask the kernel for, to see what there is.
PROBE = """
[Service]
Type=oneshot
ExecStart=/bin/true
User=daemon
PrivateUsers=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectProc=invisible
ProcSubset=pid
ProtectControlGroups=yes
ProtectKernelTunables=yes
SystemCallFilter=@system-service
"""


def _need():
    if os.geteuid() != 0:
        raise tap.Skip("only root makes the namespaces of a system")
    if kit.SANITIZED or kit.WRAPPER:
        raise tap.Skip("sanitizer and wrapper need what the unit forbids")
    for program in (SYSTEMD, "unshare", "nsenter", "systemctl", "make"):
        if shutil.which(program) is None:
            raise tap.Skip(f"{program} is not installed")
    if not (BUILD / "Makefile").exists():
        raise tap.Skip(f"{BUILD} is no directory to install from")
    if cgroups.find_place() is None:
        raise tap.Skip("no cgroups of version 2 are mounted")


def make_install():
    """`make install` into a directory; gives it."""
    place = kit.fresh_path("installed")
    # We are run by a make ourselves, which is not the same.
    env = {key: value for key, value in os.environ.items()
           if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", BUILD, "install",
                           f"DESTDIR={place}"], env=env, capture_output=True,
                          text=True, check=False, timeout=kit.wait_limit(120))
    tap.equal(done.returncode, 0, f"make install: {done.stdout}{done.stderr}")
    return place


class System(kit.Process):
    """Up: with the files of this machine, or those in `files`, and with what is
    in `installed` in its place. systemd knows the units in `units`. A process of
    it has the number that systemd knows it by, and a file is path(NAME) for
    us."""

    def __init__(self, units, installed=None, files=None):
        _need()
        self.installed = installed
        root = kit.fresh_path("system")
        root.mkdir()
        self._make_cgroup()
        self.spaces = ["--mount", "--pid", "--ipc", *["--net"] * bool(files)]
        super().__init__(
            "systemd", [BOOT, self.cgroup, root, *filter(None, [files])],
            env={"SYSTEMD_UNIT_PATH": f"/etc/systemd/system:{units}"})
        self.init = kit.until("systemd is started", self._find_init, limit=60)
        self._wait_until_up()
        self._probe()
        if installed:
            shutil.copytree(installed, self.path("/"), symlinks=True,
                            dirs_exist_ok=True)

    def _make_cgroup(self):
        self.cgroup = os.path.join(cgroups.find_place(),
                                   f"tallyd-test-{os.getpid()}")
        kit.watch_cgroup(self.cgroup)
        try:
            os.makedirs(self.cgroup, exist_ok=True)
        except OSError as error:
            raise tap.Skip(f"{self.cgroup}: {error.strerror}") from None

    def _find_init(self):
        status = self.status()
        if status == CANNOT:
            raise tap.Skip(" ".join(self.log().split()))
        if status is not None:
            raise tap.Skip(f"systemd ends with {status}: {self.log()}")
        return next((pid for pid in procfs.children_of(self.pid)
                     if procfs.command_of(pid).startswith(SYSTEMD)), None)

    def _is_up(self):
        return self._find_init() and self.call(
            "systemctl", "is-active", "multi-user.target").returncode == 0

    def _wait_until_up(self):
        """Nothing of tallyd is there yet: if it does not work, nobody of us is
        to blame."""
        try:
            kit.until("systemd is up", self._is_up, limit=120, beat=0.1)
        except tap.Failure:
            raise tap.Skip("systemd does not come up in namespaces: "
                           + self.log()) from None

    def _probe(self):
        self.write("/etc/systemd/system/probe.service", PROBE)
        if self.call("systemctl", "start", "probe").returncode != 0:
            raise tap.Skip("systemd cannot shut a service in here: " + " ".join(
                line["MESSAGE"] for line in self.journal("--unit=probe")
                if "Failed" in line["MESSAGE"]))

    def end(self):
        """All of the system is gone after this."""
        if self.status() is None:
            for pid in procfs.children_of(self.pid):
                os.kill(pid, signal.SIGKILL)
            self.wait()
        super().end()
        tap.check(cgroups.remove(self.cgroup), f"{self.cgroup} stays")
        kit.watch_cgroup(self.cgroup, there=False)

    # --- Commands. ---

    def call(self, *command, user=None, limit=60):
        """Run a command there, as root or somebody else, to its end."""
        become = [] if user is None else ["runuser", "-u", user, "--"]
        return subprocess.run(
            ["nsenter", f"--target={self.init}", *self.spaces, *become,
             *map(str, command)], capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=kit.wait_limit(limit),
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
                 "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"})

    def run(self, *command, **more):
        """The same, and it ends well; gives what it printed."""
        done = self.call(*command, **more)
        tap.equal(done.returncode, 0, f"the status of {command}: "
                                      f"{done.stdout}{done.stderr}")
        return done.stdout

    def kill(self, pid, signal_name):
        self.run("sh", "-c", f"kill -s {signal_name} {pid}")

    def systemctl(self, *arguments, **more):
        return self.run("systemctl", *arguments, **more)

    def show(self, unit):
        """{property: value} of a unit."""
        return dict(line.split("=", 1) for line in
                    self.systemctl("show", unit).splitlines() if "=" in line)

    def wait_for(self, unit, limit=60, **wanted):
        """Wait until properties of a unit are as wanted; gives all."""
        def look():
            have = self.show(unit)
            return have if wanted.items() <= have.items() else None
        return kit.until(f"{unit} has {wanted}", look, limit, beat=0.05)

    def journal(self, *arguments):
        """Lines of the journal, oldest first; see journalctl(1)."""
        return [json.loads(line) for line in
                self.run("journalctl", "--output=json", "--all",
                         *arguments).splitlines()]

    # --- Files. ---

    def path(self, name):
        return pathlib.Path(f"/proc/{self.init}/root") / name.lstrip("/")

    def write(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def children_of(self, pid):
        """The pids of the children of a process."""
        place = self.path(f"/proc/{pid}/task/{pid}/children")
        return list(map(int, place.read_text().split()))

    def status_of(self, pid):
        """{key: value} of /proc/PID/status."""
        text = self.path(f"/proc/{pid}/status").read_text()
        return dict(re.findall(r"^(\w+):\s*(.*)$", text, re.M))

    def policy_of(self, pid):
        """How a process is scheduled, such as os.SCHED_BATCH (proc(5))."""
        stat = self.path(f"/proc/{pid}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[38])


def installed_system():
    """One with what `make install` installs."""
    _need()
    installed = make_install()
    units = next(installed.rglob("tallyd.socket")).parent
    return System(f"/{units.relative_to(installed)}", installed)


@functools.cache
def _boot(make):
    try:
        return kit.share(make())
    except tap.Skip as reason:
        return reason


def boot(make=installed_system):
    """The one system of this file, which stays until its last test has ended."""
    found = _boot(make)
    if isinstance(found, tap.Skip):
        raise found
    return found


class Unit:
    """The service NAME.service of a system, and its socket."""

    def __init__(self, system, name="tallyd"):
        self.system, self.name, self.cursor = system, name, None
        self.service, self.socket = f"{name}.service", f"{name}.socket"
        pool, _, instance = name.partition("@")
        self.pool = instance or "main"
        self.address = str(system.path(f"/run/tallyd/{instance or pool}.sock"))
        service = next(system.installed.rglob("tallyd.service")).read_text()
        self.program, sample = re.search(r"^ExecStart=(\S+) -c (\S+)",
                                         service, re.M).groups()
        self.config = (sample.replace("tallyd.conf", f"{instance}.conf")
                       if instance else sample)

    def configure(self, endpoints=None, drop_in="", shadow=None, **settings):
        """Stopped, with these settings, and this besides the unit."""
        self.system.systemctl("stop", self.socket, self.service)
        self.system.call("systemctl", "reset-failed", self.service)
        self.cursor = self.system.journal("--lines=1")[-1]["__CURSOR"]
        self.set(endpoints, shadow, **settings)
        self.system.write(f"/etc/systemd/system/{self.service}.d/test.conf",
                          drop_in)
        self.system.systemctl("daemon-reload")

    def set(self, endpoints=None, shadow=None, **settings):
        write_settings(self.system.path(self.config),
                       {"workers": 2, "log_level": "debug", **settings},
                       {"main": {}} if endpoints is None else endpoints,
                       shadow)

    def start(self, *arguments, **settings):
        """configure(), and up: gives the process id."""
        self.configure(*arguments, **settings)
        self.system.systemctl("start", self.socket, self.service)
        return self.main_pid()

    def show(self):
        return self.system.show(self.service)

    def main_pid(self):
        return int(self.show()["MainPID"])

    def wait_for(self, **wanted):
        return self.system.wait_for(self.service, **wanted)

    def journal(self, **fields):
        """The lines by and about it, with these fields, since it was
        configured."""
        # With matches, journalctl loses the first line after a cursor.
        return [line for line in
                self.system.journal(f"--after-cursor={self.cursor}")
                if self.service in (line.get("_SYSTEMD_UNIT"),
                                    line.get("UNIT"))
                and fields.items() <= line.items()]

    def tallyctl(self, *arguments):
        return self.system.run("tallyctl", "-p", self.pool, *arguments)

    def status(self):
        return json.loads(self.tallyctl("status", "--json"))

    def workers(self):
        """The pids of the workers of the newest generation."""
        there = [worker for worker in self.status()["workers"]
                 if worker["pid"] > 0 and worker["state"] != "absent"]
        newest = max((worker["generation"] for worker in there), default=0)
        return [worker["pid"] for worker in there
                if worker["generation"] == newest]

    def post(self, body=SAMPLE, **more):
        return fastcgi.post(self.address, body, kit.wait_limit(60), **more)

    def serves(self):
        reply = self.post()
        tap.equal((reply.status, reply.body), (200, b'{"sum":42}'),
                  "the reply")
