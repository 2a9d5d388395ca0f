#!/usr/bin/env python3
"""What a system runs around the pool: logrotate, sysusers.d, tmpfiles.d."""

import grp
import os
import pathlib
import pwd
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from pool import Pool, serves


def run(program, *arguments):
    """Run an administrator's program; Skip where it is not installed."""
    path = kit.need_server(program)
    done = subprocess.run([path, *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=kit.wait_limit(30))
    tap.equal(done.returncode, 0, f"{program}: {done.stderr or done.stdout}")
    return done.stdout + done.stderr


def make_root():
    """A directory with what a small system has."""
    root = kit.fresh_path("root")
    for name in ("etc", "run", "var/log"):
        (root / name).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nadm:x:4:\n")
    return root


@tap.test
def a_user_and_its_directories_are_made():
    """sysusers.d and tmpfiles.d, in a root of their own"""
    if os.geteuid() != 0:
        raise tap.Skip("only root gives files away")
    root = make_root()
    run("systemd-sysusers", f"--root={root}", kit.CONF / "sysusers/tallyd.conf")
    users = dict(line.split(":", 1) for line in
                 (root / "etc/passwd").read_text().splitlines())
    tap.check("tallyd" in users, f"the users are {users}")
    tap.check(users["tallyd"].endswith(":/usr/sbin/nologin"), "it may log in")
    uid = int(users["tallyd"].split(":")[1])
    run("systemd-tmpfiles", f"--root={root}", "--create",
        kit.CONF / "tmpfiles/tallyd.conf")
    for name, mode, owner, group in (("run/tallyd", 0o755, 0, 0),
                                     ("var/log/tallyd", 0o750, uid, 4)):
        found = (root / name).stat()
        tap.equal((found.st_mode & 0o777, found.st_uid, found.st_gid),
                  (mode, owner, group), name)


class Rotation:
    """conf/logrotate/tallyd for directories and a user of the test."""

    def __init__(self):
        self.logs, self.pids = kit.fresh_path("logs"), kit.fresh_path("pids")
        self.logs.mkdir(mode=0o700)
        self.pids.mkdir()
        user = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(os.getegid()).gr_name
        text = (kit.CONF / "logrotate/tallyd").read_text()
        for there, here in (("/var/log/tallyd", self.logs),
                            ("/run/tallyd", self.pids),
                            ("su tallyd adm", f"su {user} {group}"),
                            ("0640 tallyd adm", f"0640 {user} {group}")):
            tap.contains(text, there, "conf/logrotate/tallyd")
            text = text.replace(there, str(here))
        self.config = kit.fresh_path("conf")
        self.state = kit.fresh_path("state")
        self.config.write_text(text)
        self.config.chmod(0o600)

    def rotate(self):
        run("logrotate", "--force", "--state", self.state, self.config)


@tap.test
def rotated_logs_lose_no_line():
    """logrotate moves the log away three times: supervisor, workers and
    monitor write to the new one, and every request is in one of them"""
    rotation = Rotation()
    log = rotation.logs / "orders.log"
    pool = Pool(start=False, workers=2, log_file=log, name="orders",
                pid_file=rotation.pids / "orders.pid",
                status_listen=f"{kit.HOST}:{kit.free_port()}")
    pool.process = kit.Process("tallyd", pool.command)
    with pool:
        pool.wait_until_up()
        pool.wait_for_workers()
        monitor = kit.until("the monitor is there", pool.monitor)
        for turn in range(1, 4):
            for _ in range(20):
                serves(pool)
            rotation.rotate()
            for pid in [pool.pid, monitor, *pool.workers()]:
                kit.until(f"{procfs.command_of(pid)} has the new file",
                          lambda pid=pid: has_open(pid, log))
            tap.equal(log.stat().st_mode & 0o777, 0o640, "the mode")
            tap.check((rotation.logs / "orders.log.1").exists(), "no old log")
        serves(pool)
        pool.stop()
    text = "".join(
        subprocess.run(["zcat", "-f", path], capture_output=True, text=True,
                       check=True, timeout=kit.wait_limit(20)).stdout
        for path in rotation.logs.iterdir())
    tap.equal(text.count("outcome=ok"), 61, "lines of requests")
    tap.contains(text, "stopped", "the last line")


def has_open(pid, path):
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            if os.path.samefile(entry.path, path):
                return True
        except OSError:
            continue
    return False


@tap.test
def no_pool_is_no_error():
    """logrotate with a log whose pool is gone, and a pid file that is empty"""
    rotation = Rotation()
    (rotation.logs / "old.log").write_text("a line\n")
    (rotation.pids / "old.pid").write_text("")
    rotation.rotate()
    tap.equal((rotation.logs / "old.log").read_text(), "", "the new log")


sys.exit(kit.run())
