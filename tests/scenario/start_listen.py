#!/usr/bin/env python3
"""The pool makes its own socket: kinds, permissions, and what stands in the
way."""

import grp
import os
import pathlib
import pwd
import socket
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from pool import SAMPLE, Pool, run_tallyd, write_settings

SO_PASSRIGHTS = 83  # of Linux 6.16
SOMAXCONN = pathlib.Path("/proc/sys/net/core/somaxconn")


def serves(pool):
    reply = pool.post(SAMPLE)
    tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), "the reply")


def refuse(listen, *parts, **settings):
    """tallyd does not start there, and says why."""
    config = kit.fresh_path("tallyd.conf")
    write_settings(config, {"listen": listen, **settings}, {})
    status, _out, errors = run_tallyd("-c", config)
    tap.equal(status, 1, f"the exit status ({errors.strip()})")
    for part in parts:
        tap.contains(errors, part, "what it says")
    tap.equal(len(errors.splitlines()), 1, f"lines ({errors})")


@tap.test
def a_unix_socket_is_for_owner_and_group():
    """a unix socket has its mode, and is gone after the stop"""
    with Pool(socket_mode="0660") as pool:
        serves(pool)
        mode = os.stat(pool.socket).st_mode
        tap.check(stat.S_ISSOCK(mode), "it is no socket")
        tap.equal(oct(stat.S_IMODE(mode)), "0o660", "the mode")
        tap.equal(os.listdir(pool.socket.parent).count(pool.socket.name), 1,
                  "files of that name")
    tap.check(not pool.socket.exists(), "the socket file is still there")


@tap.test
def descriptors_are_refused():
    """as soon as a peer has connected, and when it has been served"""
    page = kit.fresh_path("page.sock")
    with Pool(status_listen=page) as pool, pool.link() as link, \
            socket.socket(socket.AF_UNIX) as other:
        other.connect(str(page))
        try:
            link.socket.getsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS)
        except OSError as error:
            raise tap.Skip("Linux before 6.16 has no SO_PASSRIGHTS") from error
        link.send(fastcgi.request(SAMPLE, keep=True))
        tap.equal(link.read_reply().status, 200, "the status")
        for peer in link.socket, other:
            try:
                socket.send_fds(peer, [b"x"], [peer.fileno()])
                raise tap.Failure("it was sent")
            except PermissionError:
                continue


@tap.test
def the_default_mode_is_0660_whatever_the_umask():
    config, path = kit.fresh_path("tallyd.conf"), kit.fresh_path("t.sock")
    write_settings(config, {"listen": path, "workers": 1}, {})
    for umask in ("000", "077"):
        with kit.Process("tallyd", ["sh", "-c", f'umask {umask}; exec "$@"',
                                    "sh", *kit.tallyd("-c", config)]) as pool:
            pool.wait_for_log(" serving on ")
            tap.equal(oct(stat.S_IMODE(os.stat(path).st_mode)), "0o660",
                      f"the mode with umask {umask}")


@tap.test
def the_mode_can_be_set():
    with Pool(socket_mode="0600") as pool:
        serves(pool)
        tap.equal(oct(stat.S_IMODE(os.stat(pool.socket).st_mode)), "0o600",
                  "the mode")


@tap.test
def owner_and_group_can_be_set():
    if os.geteuid() != 0:
        raise tap.Skip("only root can give a file away")
    user, group = pwd.getpwnam("daemon"), grp.getgrnam("nogroup")
    with Pool(socket_owner="daemon", socket_group="nogroup") as pool:
        serves(pool)
        found = os.stat(pool.socket)
        tap.equal((found.st_uid, found.st_gid), (user.pw_uid, group.gr_gid),
                  "owner and group")


@tap.test
def an_unknown_owner_is_told():
    path = kit.fresh_path("tallyd.sock")
    refuse(path, "socket_owner = nobody-here: no such user",
           socket_owner="nobody-here")
    refuse(path, "socket_group = no-group-here: no such group",
           socket_group="no-group-here")
    tap.equal([name for name in os.listdir(path.parent)
               if name.startswith(path.name)], [], "files left")


@tap.test
def a_live_instance_is_not_replaced():
    with Pool() as pool:
        refuse(pool.socket, str(pool.socket),
               "another process is serving there", "stop it first")
        serves(pool)


@tap.test
def a_stale_socket_is_replaced():
    pool = Pool()
    kit.kill_group(pool.process.pid)  # workers alone would tidy up
    pool.process.wait()
    kit.until("the workers are gone", lambda: not pool.process.left_behind())
    tap.check(pool.socket.exists(), "the kill has removed the socket file")
    with Pool(listen=pool.socket) as second:
        serves(second)


@tap.test
def a_file_that_is_no_socket_is_kept():
    path = kit.fresh_path("precious")
    path.write_text("keep me")
    refuse(path, str(path), "not a socket", "choose another path")
    tap.equal(path.read_text(), "keep me", "the file")


@tap.test
def a_missing_directory_is_told():
    refuse(kit.DIRECTORY / "no/such/tallyd.sock", "the directory must exist")


@tap.test
def only_its_own_socket_file_is_removed():
    """a socket file put in its place meanwhile is kept at the stop"""
    with Pool() as pool:
        pool.socket.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(pool.socket))
            pool.stop()
            tap.check(pool.socket.exists(), "the other's file is gone")


@tap.test
def tcp_v4():
    """TCP on an IPv4 address"""
    with Pool(listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        serves(pool)


@tap.test
def tcp_v6():
    """TCP on an IPv6 address"""
    try:
        port = kit.free_port("::1")
    except OSError:
        raise tap.Skip("no IPv6 here") from None
    with Pool(listen=f"[::1]:{port}") as pool:
        serves(pool)


@tap.test
def tcp_any():
    """TCP on every address"""
    with Pool(listen=f"*:{kit.free_port('0.0.0.0')}") as pool:
        serves(pool)


@tap.test
def a_port_can_be_had_again_at_once():
    """a restart on the same port, with connections still in TIME_WAIT"""
    listen = f"{kit.HOST}:{kit.free_port()}"
    for _turn in range(3):
        with Pool(listen=listen) as pool:
            serves(pool)


@tap.test
def a_port_in_use_is_told():
    with socket.create_server((kit.HOST, 0)) as other:
        refuse(f"{kit.HOST}:{other.getsockname()[1]}", "listen = ",
               "Address already in use")


@tap.test
def an_address_of_another_machine_is_told():
    refuse("192.0.2.1:9000", "listen = 192.0.2.1:9000")


@tap.test
def a_backlog_over_the_kernels_limit_is_told():
    limit = int(SOMAXCONN.read_text())
    if limit >= 65535:
        raise tap.Skip("the kernel's limit is as high as can be")
    with Pool(backlog=limit + 1) as pool:
        tap.equal(len(pool.log_lines("warn", f"backlog = {limit + 1} is cut "
                                     f"to {limit}", "somaxconn")), 1,
                  "warnings")
        serves(pool)
    with Pool(backlog=limit) as pool:
        tap.equal(pool.log_lines("somaxconn"), [], "warnings")


@tap.test
def privileges_are_given_up():
    """user and group: workers and supervisor run as them, and never go back"""
    if os.geteuid() != 0:
        raise tap.Skip("only root can become somebody else")
    user = pwd.getpwnam("nobody")
    with Pool(user="nobody") as pool:
        serves(pool)
        for pid in [pool.pid, *pool.wait_for_workers()]:
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            lines = dict(line.split(":\t", 1) for line in text.splitlines())
            tap.equal(lines["Uid"].split(), [str(user.pw_uid)] * 4, "Uid")
            tap.equal(lines["Gid"].split(), [str(user.pw_gid)] * 4, "Gid")
            tap.equal(lines["Groups"].split() in (
                [], [str(user.pw_gid)]), True, f"Groups: {lines['Groups']}")
            tap.equal(lines["CapEff"], "0" * 16, "CapEff")
            tap.equal(lines["NoNewPrivs"], "1", "NoNewPrivs")


@tap.test
def a_pool_that_stays_root_is_warned_of():
    """one warning without `user`; none where root was asked for, or given up"""
    if os.geteuid() != 0:
        raise tap.Skip("only root can stay root")
    for settings, warnings in (({}, 1), ({"user": "root"}, 0),
                               ({"user": "nobody"}, 0)):
        with Pool(**settings) as pool:
            pool.wait_for_workers()
            tap.equal(len(pool.log_lines("the pool runs as root")), warnings,
                      f"warnings with {settings}")


sys.exit(kit.run())
