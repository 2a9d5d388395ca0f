"""Checks that several scenarios of FastCGI records make."""

import contextlib
import socket

import kit
import peers
import tap
from fastcgi import (PARAMS, Broken, begin, pack_pairs, parameters, stream)
from pool import SAMPLE, Pool

SUM = b'{"sum":42}'
HEAD = begin() + stream(PARAMS, pack_pairs(parameters(SAMPLE)))


def is_served(pool):
    """False, too, when we were too slow for the timeouts of this pool."""
    try:
        return pool.post(SAMPLE).status == 200
    except (Broken, ConnectionError):
        return False


@contextlib.contextmanager
def unharmed(endpoints=None, workers=2, **settings):
    """A pool that afterwards serves a request with the workers it had, and
    holds no connection any more."""
    with Pool(endpoints, workers=workers, **settings) as pool:
        before = pool.wait_for_workers()
        yield pool
        kit.until("a request is served", lambda: is_served(pool))
        tap.equal(pool.workers(), before, "the workers afterwards")
        kit.until("every connection is closed",
                  lambda: pool.status()["connections"] == 0)


def closes(pool, data, counter="refused"):
    """The pool closes the connection that sent this, and counts it."""
    before = pool.count(counter)
    with pool.link() as link:
        with contextlib.suppress(ConnectionError):  # it has closed already
            link.send(data)
        tap.check(link.at_end(), "the connection was not closed")
    pool.wait_for_count(counter, before + 1)


def expect_status(pool, data, status, outcome):
    """This is answered so, and counted."""
    before = pool.count(outcome)
    with pool.link() as link:
        link.send(data)
        reply = link.read_reply()
        tap.equal(reply.status, status, "the status")
        tap.equal(reply.headers["content-type"], "application/problem+json",
                  "the type")
        tap.contains(reply.body.decode(), f'"outcome":"{outcome}"', "the body")
    tap.equal(pool.count(outcome), before + 1, outcome)


def ends(link):
    """Read until the pool closes or answers; True when it did in time."""
    try:
        link.read_reply()
    except Broken:
        return True
    except TimeoutError:
        return False
    return True


def keeps_sending(link, data, limit):
    """Send `data` again and again until the peer stops taking it for good;
    False when it was still taking it after `limit` seconds."""
    done = []

    def stuff():
        with contextlib.suppress(OSError):
            while not done:
                link.socket.sendall(data)
    with peers.in_background(stuff) as sender:
        sender.join(kit.wait_limit(limit))
        alive = sender.is_alive()
        done.append(True)
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RDWR)
    return not alive
