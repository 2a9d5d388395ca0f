#!/usr/bin/env python3
"""Web servers that give a request up: nothing is posted for a client that has
left before, and what was posted is not lost by one that leaves after."""

import contextlib
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import peers
import tap
from downstream import Downstream
from fastcgi import (ABORT_REQUEST, PARAMS, STDIN, begin, pack_pairs,
                     parameters, record, request, stream)
from pool import SAMPLE
from records import HEAD, SUM, unharmed

OK = b'{"ok":true}'
PART = record(STDIN, SAMPLE[:9])
BODY = record(STDIN, SAMPLE)  # the whole of it, but not the end of STDIN
UNANNOUNCED = begin() + stream(PARAMS, pack_pairs(
    {**parameters(SAMPLE), "CONTENT_LENGTH": ""}))


@contextlib.contextmanager
def posting(workers=1, **settings):
    """(pool, downstream)"""
    with Downstream() as down, unharmed(
            {"post": {"downstream": down.url}}, workers, **settings) as pool:
        yield pool, down


def close(link):
    link.close()


def reset(link):
    peers.reset_at_close(link.socket)
    link.close()


def abort(link):
    link.send(record(ABORT_REQUEST))
    tap.check(link.at_end(), "the connection was not closed")
    link.close()


@tap.test
def whoever_leaves_within_the_body():
    """A client that leaves within the body gets nothing posted"""
    for listen in ("unix", f"{kit.HOST}:{kit.free_port()}"):
        settings = {} if listen == "unix" else {"listen": listen}
        with posting(**settings) as (pool, down):
            gone = 0
            for leave in (close, reset, abort):
                for part in (HEAD, HEAD + PART, UNANNOUNCED + BODY):
                    link = pool.link()
                    link.send(part)
                    gone += 1
                    # What is reset before may never be accepted at all.
                    pool.wait_for_count("connections", gone)
                    leave(link)
                    pool.wait_for_count("client_gone", gone)
            tap.equal(pool.count("client_gone"), gone, "client_gone")
            tap.equal(down.take(), [], "what was posted")


@tap.test
def whoever_leaves_while_it_waits():
    """A client that leaves while its whole request waits for a worker gets
    nothing posted"""
    for listen in ("unix", f"{kit.HOST}:{kit.free_port()}"):
        settings = {} if listen == "unix" else {"listen": listen}
        with posting(**settings) as (pool, down):
            down.hold()
            with pool.link() as first:
                first.send(request(SAMPLE))
                down.wait_for(1)
                for leave in (close, reset) * 5:
                    link = pool.link()
                    link.send(request(SAMPLE))
                    leave(link)
                down.release()
                tap.equal(first.read_reply().body, OK, "the first reply")
            # A connection that was reset may never be accepted at all.
            pool.wait_for_count("client_gone", 5)
            kit.until("every connection is closed",
                      lambda: pool.status()["connections"] == 0)
            tap.equal(len(down.take()), 1, "posts")


@tap.test
def whoever_leaves_a_kept_connection_while_it_waits():
    """A client that leaves while the next request of its kept connection waits
    for a worker gets nothing posted"""
    for listen in ("unix", f"{kit.HOST}:{kit.free_port()}"):
        settings = {} if listen == "unix" else {"listen": listen}
        with posting(**settings) as (pool, down):
            links = [pool.link() for _ in range(5)]
            for link in links:
                link.send(request(SAMPLE, keep=True))
                tap.equal(link.read_reply().body, OK, "a first reply")
            tap.equal(len(down.take()), 5, "posts for those who stay")
            down.hold()
            links[0].send(request(SAMPLE, keep=True))
            down.wait_for(1)
            for link in links[1:]:
                link.send(request(SAMPLE, keep=True))
                link.close()
            down.release()
            tap.equal(links[0].read_reply().body, OK, "the reply")
            pool.wait_for_count("client_gone", 4)
            links[0].close()
            tap.equal(len(down.take()), 1, "posts")


@tap.test
def whoever_leaves_nginx_while_it_waits():
    """A client that leaves nginx while its request waits for a worker: nginx
    gives the request up, and nothing is posted"""
    with Downstream() as down:
        front = fronts.Nginx({"post": {"downstream": down.url}}, workers=1)
        down.hold()
        links = [front.connect() for _ in range(4)]
        links[0].request("POST", "/", SAMPLE)
        down.wait_for(1)
        for link in links[1:]:
            link.request("POST", "/", SAMPLE)
        kit.until("all wait in the kernel",
                  lambda: front.pool.status()["listen_queue"] == 3)
        for link in links[1:]:
            link.close()
        kit.until("nginx has given them up", lambda: front.process.log().count(
            "so upstream connection is closed too") == 3)
        down.release()
        tap.equal(links[0].getresponse().read(), OK, "the first reply")
        links[0].close()
        front.pool.wait_for_count("client_gone", 3)
        tap.equal(len(down.take()), 1, "posts")
        front.stop()


@tap.test
def whoever_leaves_during_the_post():
    """A client that leaves while its result is being posted costs nothing but
    its reply"""
    with posting() as (pool, down):
        for leave in (close, reset):
            down.hold()
            link = pool.link()
            link.send(request(SAMPLE))
            down.wait_for(1)
            leave(link)
            down.release()
            kit.until("the worker is done", lambda: pool.status()
                      ["connections"] == 0)
            tap.equal(len(down.take()), 1, "posts")
        tap.equal(pool.count("downstream_posts"), 2, "downstream_posts")
        tap.equal(pool.count("ok"), 2, "ok")


@tap.test
def an_abort_that_waits_with_the_request():
    """ABORT_REQUEST that has come by the time the result would be posted:
    nothing is posted"""
    with posting() as (pool, down):
        down.hold()
        with pool.link() as first, pool.link() as second:
            first.send(request(SAMPLE))
            down.wait_for(1)
            second.send(request(SAMPLE) + record(ABORT_REQUEST))
            down.release()
            tap.equal(first.read_reply().body, OK, "the first reply")
            with contextlib.suppress(OSError):
                while second.socket.recv(4096):
                    pass
        tap.equal(len(down.take()), 1, "posts")


@tap.test
def an_abort_that_comes_too_late():
    """ABORT_REQUEST after the reply, as it may cross it on the way, is ignored:
    the id is not active (FastCGI, 3.3), and the connection serves on"""
    with unharmed() as pool, pool.link() as link:
        for number in range(1, 4):
            link.send(request(SAMPLE, keep=True, request_id=number))
            tap.equal(link.read_reply(number).body, SUM, "the reply")
            link.send(record(ABORT_REQUEST, request_id=number))
        tap.equal(pool.count("refused"), 0, "refused")


@tap.test
def half_closed_after_the_request():
    """A client that shuts its sending side down has gone as far as a pool
    can tell: it gets its answer, or nothing is posted; never neither"""
    with posting() as (pool, down):
        with pool.link() as link:
            link.send(request(SAMPLE))
            link.socket.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionError):
                while part := link.socket.recv(4096):
                    answer += part
        posts = len(down.take())
        tap.check((posts == 1) == (OK in answer),
                  f"{posts} posts, and the answer {answer!r}")


@tap.test
def half_closed_before_the_end():
    """A client that shuts its sending side down before the end is closed"""
    with posting(header_timeout="30s", body_timeout="30s") as (pool, down):
        for at in (0, 5, 8, 16, len(HEAD) - 3, len(HEAD), len(HEAD) + 9):
            with pool.link() as link:
                link.send((HEAD + BODY)[:at])
                link.socket.shutdown(socket.SHUT_WR)
                tap.check(link.at_end(), f"cut at {at}: it stays open")
        tap.equal(down.take(), [], "what was posted")


sys.exit(kit.run())
