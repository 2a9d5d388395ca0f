#!/usr/bin/env python3
"""allow and FCGI_WEB_SERVER_ADDRS: who may connect over TCP."""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import contextlib
import socket

import kit
import reloads
import tap
from fastcgi import Link, request
from pool import SAMPLE, Pool, run_tallyd, serves
from records import SUM

ELSEWHERE = "127.127.0.1"


def tcp(host=kit.HOST, free_on=None):
    return f"{host}:{kit.free_port(free_on or host)}"


def connect_from(pool, source):
    """A link that comes from this address of the machine."""
    link = Link.__new__(Link)
    link.socket = socket.create_connection(pool.address, kit.wait_limit(10),
                                           source_address=(source, 0))
    return link


def is_served(pool, source):
    with connect_from(pool, source) as link:
        with contextlib.suppress(ConnectionError):
            link.send(request(SAMPLE))
        return not link.at_end()


def expect(pool, allowed, others):
    for source in allowed:
        tap.check(is_served(pool, source), f"{source} was not served")
    before = pool.count("denied")
    for source in others:
        tap.check(not is_served(pool, source), f"{source} was served")
    tap.equal(pool.count("denied"), before + len(others), "denied")
    tap.equal(pool.count("refused"), 0, "refused")
    kit.until("every connection is closed",
              lambda: pool.status()["connections"] == 0)


@tap.test
def a_list_of_addresses_and_networks():
    with Pool(listen=tcp(), allow="127.0.0.2 127.80.0.0/16, ::1") as pool:
        expect(pool, ["127.0.0.2", "127.80.0.0", "127.80.255.255"],
               ["127.0.0.1", "127.0.0.3", "127.79.255.255", "127.81.0.0"])
        lines = pool.log_lines("127.0.0.1", "not allowed")
        tap.equal(len(lines), 1, "lines about the first")
        tap.check(len(pool.log_lines("not allowed")) < 4, "lines at once")


@tap.test
def an_address_of_a_socket_for_both_kinds():
    """IPv4 on a socket for IPv4 and IPv6"""
    with Pool(listen=tcp("*", "0.0.0.0"), allow="127.0.0.2") as pool:
        expect(pool, ["127.0.0.2"], ["127.0.0.1"])
    with Pool(listen=tcp("[::1]", "::1"), allow="::1") as pool, \
            pool.link() as link:
        link.send(request(SAMPLE))
        tap.equal(link.read_reply().body, SUM, "over IPv6")


@tap.test
def the_list_of_the_environment():
    """FCGI_WEB_SERVER_ADDRS, alone and beside allow, and after an upgrade"""
    env = {"FCGI_WEB_SERVER_ADDRS": "127.0.0.2,127.0.0.3"}
    with Pool(listen=tcp(), env=env) as pool:
        expect(pool, ["127.0.0.2", "127.0.0.3"], ["127.0.0.1"])
        pool.process.send(signal.SIGUSR2)
        pool.wait_for_log("generation 2 serves")
        reloads.wait_until_alone(pool)
        expect(pool, ["127.0.0.2", "127.0.0.3"], ["127.0.0.1"])
    with Pool(listen=tcp(), env=env, allow="127.0.0.0/30", workers=0) as pool:
        expect(pool, ["127.0.0.2", "127.0.0.3"], ["127.0.0.1", ELSEWHERE])
    with Pool(listen=tcp(), env=env, allow="127.0.0.2 127.0.0.1") as pool:
        expect(pool, ["127.0.0.2"], ["127.0.0.1", "127.0.0.3"])


@tap.test
def a_reload_takes_another_list():
    with Pool(listen=tcp(), allow="127.0.0.2") as pool:
        expect(pool, ["127.0.0.2"], ["127.0.0.3"])
        text = pool.config.read_text()
        pool.config.write_text(text.replace("127.0.0.2", "127.0.0.3"))
        pool.process.send(signal.SIGHUP)
        pool.wait_for_log("generation 2 serves")
        # Until they have left, the old workers may accept by the old list.
        reloads.wait_until_alone(pool)
        expect(pool, ["127.0.0.3"], ["127.0.0.2"])


@tap.test
def a_unix_socket_is_not_concerned():
    with Pool(allow="127.0.0.2",
              env={"FCGI_WEB_SERVER_ADDRS": "127.0.0.2"}) as pool:
        serves(pool)


@tap.test
def a_wrong_list_is_told_at_the_start():
    for allow in "localhost", "10.0.0.1/8", "10.0.0.0/33":
        pool = Pool(start=False, allow=allow)
        status, _out, errors = run_tallyd("-t", "-c", pool.config)
        tap.equal(status, 78, f"the exit status for {allow}")
        tap.contains(errors, "allow", "the complaint")
    for value in "", "localhost":
        pool = Pool(start=False)
        status, _out, errors = run_tallyd(
            "-c", pool.config, env={"FCGI_WEB_SERVER_ADDRS": value})
        tap.check(status != 0, f"it started with {value!r}")
        tap.contains(errors, "FCGI_WEB_SERVER_ADDRS", "the complaint")


sys.exit(kit.run())
