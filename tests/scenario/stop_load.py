#!/usr/bin/env python3
"""Stops while clients send requests: none that was sent is lost, over TCP or a
unix socket, with and without a web server. TALLYD_STOPS says how many stops each
test makes."""

import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import stops
import tap
from callers import Callers
from pool import Pool, run_tallyctl

CLIENTS = 4, 16, 64


def share(clients):
    """Of all stops, those with so many clients."""
    done = CLIENTS.index(clients)
    return (stops.STOPS + len(CLIENTS) - 1 - done) // len(CLIENTS)


def is_not_lost(settings, workers=4):
    served = refused = 0
    for clients in CLIENTS:
        for _turn in range(share(clients)):
            pool = Pool(workers=workers, log_level="info", **settings())
            callers = Callers(pool, clients)
            callers.wait_for(3 * clients)
            pool.process.send(signal.SIGTERM)
            tap.equal(pool.process.wait(60), 0, "the exit status")
            callers.stop()
            tap.equal(callers.lost, [], f"lost, of {clients} clients")
            tap.equal(list(callers.answers), [(200, b'{"sum":42}')],
                      "the answers")
            # A machine that stands still makes requests wait.
            tap.equal([line for line in pool.warnings()
                       if "saturated since " not in line], [], "warnings")
            served += callers.served()
            refused += callers.refused
            pool.process.end()
    tap.note(f"{stops.STOPS} stops: {served} answers, {refused} refused")


@tap.test
def over_tcp():
    is_not_lost(lambda: {"listen": f"{kit.HOST}:{kit.free_port()}"})


@tap.test
def over_ipv6():
    is_not_lost(lambda: {"listen": f"[::1]:{kit.free_port('::1')}"})


@tap.test
def over_a_unix_socket():
    is_not_lost(dict)


@tap.test
def over_tcp_without_a_supervisor():
    is_not_lost(lambda: {"listen": f"{kit.HOST}:{kit.free_port()}"}, workers=0)


@tap.test
def over_a_unix_socket_without_a_supervisor():
    is_not_lost(dict, workers=0)


@tap.test
def over_tcp_when_the_supervisor_is_killed():
    """Its workers end the pool by themselves"""
    for _turn in range(share(16)):
        pool = Pool(workers=4, log_level="info",
                    listen=f"{kit.HOST}:{kit.free_port()}")
        workers = pool.wait_for_workers()
        callers = Callers(pool, 16)
        callers.wait_for(48)
        pool.process.send(signal.SIGKILL)
        kit.until("all workers have ended",
                  lambda: not any(map(procfs.is_alive, workers)))
        callers.stop()
        tap.equal(callers.lost, [], "lost")
        pool.process.end()


@tap.test
def over_tcp_after_an_upgrade():
    """The listener was made by the program before"""
    pool = Pool(workers=4, log_level="info",
                listen=f"{kit.HOST}:{kit.free_port()}")
    pool.wait_for_workers()
    callers = Callers(pool, 16)
    status, _out, errors = run_tallyctl("-c", pool.config, "upgrade", limit=60)
    tap.equal(status, 0, f"the exit status of tallyctl ({errors})")
    callers.wait_for(48)
    pool.process.send(signal.SIGTERM)
    tap.equal(pool.process.wait(60), 0, "the exit status")
    callers.stop()
    tap.equal(callers.lost, [], "lost")
    tap.equal(list(callers.answers), [(200, b'{"sum":42}')], "the answers")


@tap.test
def on_an_inherited_socket_until_the_next_pool_comes():
    """What comes in between waits, and none is refused"""
    with socket.create_server((kit.HOST, 0), backlog=256) as listener:
        callers = None
        for _turn in range(share(16) + 1):
            pool = Pool(workers=4, log_level="info", stdin=listener,
                        listen=kit.DIRECTORY / "unused.sock")
            pool.address = listener.getsockname()
            callers = callers or Callers(pool, 16)
            callers.wait_for(48)
            pool.process.send(signal.SIGTERM)
            tap.equal(pool.process.wait(60), 0, "the exit status")
            pool.process.end()
        last = Pool(workers=4, log_level="info", stdin=listener,
                    listen=kit.DIRECTORY / "unused.sock")
        callers.stop()
        tap.equal(callers.lost, [], "lost")
        tap.equal(callers.refused, 0, "refused")
        last.stop()


def behind(front, tcp, keep):
    """`front` before two pools."""
    for clients in CLIENTS:
        kind = type(front.__name__, (front,), {"tcp": tcp, "keep": keep})
        if share(clients) > 0:
            stops.no_request_fails(kind, clients, share(clients))


@tap.test
def behind_nginx_over_tcp():
    behind(stops.Nginx, tcp=True, keep=False)


@tap.test
def behind_nginx_over_a_unix_socket():
    behind(stops.Nginx, tcp=False, keep=False)


@tap.test
def behind_haproxy_over_tcp():
    behind(stops.Haproxy, tcp=True, keep=False)


@tap.test
def behind_haproxy_over_a_unix_socket():
    behind(stops.Haproxy, tcp=False, keep=False)


@tap.test
def behind_haproxy_that_keeps_connections_and_checks():
    behind(stops.Haproxy, tcp=True, keep=True)


@tap.test
def behind_haproxy_that_keeps_unix_connections_and_checks():
    behind(stops.Haproxy, tcp=False, keep=True)


sys.exit(kit.run())
