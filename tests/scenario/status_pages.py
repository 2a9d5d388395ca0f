#!/usr/bin/env python3
"""The status listener: its paths, its forms, and that it answers whatever the
workers do and however its own peers behave."""

import contextlib
import json
import os
import pathlib
import pwd
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import reloads
import tap
import web
from downstream import Downstream
from fastcgi import request
from pool import SAMPLE, Pool, nobody_wakes_up, run_tallyd, serves

PLACES = 64  # connections the monitor takes at a time


def watched(*arguments, **settings):
    """A pool with a status listener on a unix socket."""
    settings.setdefault("status_listen", kit.fresh_path("status.sock"))
    return Pool(*arguments, **settings)


def open_page_socket(pool, limit=30.0):
    return web.open_socket(pool.pages, kit.wait_limit(limit))


def read_all(link):
    """What comes until the peer closes; a reset counts as closing."""
    text = b""
    try:
        while part := link.recv(65536):
            text += part
    except ConnectionResetError:
        pass
    return text


# --- Paths and forms. ---

def check_pages(pool):
    pool.wait_for_workers()
    for path, status, start in (
            ("/livez", 200, "ok"), ("/readyz", 200, "ready"),
            ("/status", 200, "tallyd, pid "), ("/", 200, "tallyd"),
            ("/nothing", 404, "not found"), ("/status/", 404, "not found"),
            ("/%73tatus", 200, "tallyd, pid ")):
        page = pool.page(path)
        tap.equal((page.status, page.text[:len(start)]), (status, start), path)
        tap.equal(page.headers["cache-control"], "no-store", path)
        tap.equal(page.headers["connection"], "close", path)


@tap.test
def every_path_is_answered_on_a_unix_socket():
    with watched() as pool:
        check_pages(pool)


@tap.test
def every_path_is_answered_on_tcp():
    with watched(status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        check_pages(pool)


@tap.test
def the_form_follows_query_and_accept():
    with watched() as pool:
        for path, accept, kind in (
                ("/status", None, "text/plain"),
                ("/status", "*/*", "text/plain"),
                ("/status?json", None, "application/json"),
                ("/status?json=1&x", "text/plain", "application/json"),
                ("/status", "application/json", "application/json"),
                ("/status?text", "application/json", "text/plain"),
                ("/status", "image/png", "text/plain"),
                ("/status?jsonx", None, "text/plain")):
            page = pool.page(path, accept)
            tap.equal((page.status, page.type), (200, kind),
                      f"{path}, Accept: {accept}")
        pool.wait_for_workers()
        status = json.loads(pool.page("/status?json").text)
        tap.equal(status["pid"], pool.pid, "the supervisor's pid")
        tap.equal(len(status["workers"]), 2, "workers")


@tap.test
def only_get_and_head_are_served():
    with watched() as pool:
        for method in "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "X":
            page = pool.page("/status", method=method, body=b"x" * 100)
            tap.equal((page.status, page.headers.get("allow")),
                      (405, "GET, HEAD"), method)
        whole, head = pool.page("/livez"), pool.page("/livez", method="HEAD")
        tap.equal((head.status, head.text), (200, ""), "HEAD")
        tap.equal(head.headers["content-length"],
                  whole.headers["content-length"], "the length")


# --- Whatever the workers do. ---

@tap.test
def it_answers_while_all_workers_are_busy_and_one_is_stopped():
    with Downstream() as down, watched({"post": {"downstream": down.url}},
                                       workers=2) as pool:
        pool.wait_for_workers()
        down.hold()
        with pool.link() as first, pool.link() as second:
            first.send(request(SAMPLE))
            second.send(request(SAMPLE))
            down.wait_for(2)
            stopped = pool.workers()[0]
            os.kill(stopped, signal.SIGSTOP)
            for path in "/livez", "/readyz", "/status", "/status?json":
                tap.equal(pool.page(path).status, 200, path)
            states = {worker["state"] for worker in json.loads(
                pool.page("/status?json").text)["workers"]}
            tap.equal(states, {"posting"}, "the states")
            os.kill(stopped, signal.SIGCONT)
            down.release()
            tap.equal(first.read_reply().status, 200, "the status")
            tap.equal(second.read_reply().status, 200, "the status")


@tap.test
def a_pool_that_drains_is_alive_and_not_ready():
    with Downstream() as down, watched(
            {"post": {"downstream": down.url}}) as pool:
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            tap.equal(pool.page("/livez").status, 200, "/livez")
            # As a service manager does that ends a whole group.
            for pid in procfs.children_of(pool.pid) + [pool.pid]:
                os.kill(pid, signal.SIGTERM)
            pool.wait_for_log("draining")
            tap.equal(pool.page("/livez").status, 200, "/livez")
            page = pool.page("/readyz")
            tap.equal(page.status, 503, "/readyz")
            tap.contains(page.text, "draining", "/readyz")
            tap.equal(pool.page("/status").status, 200, "/status")
            down.release()
            tap.equal(link.read_reply().status, 200, "the status")
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.check(not os.path.exists(pool.pages), "the socket file is left")


@tap.test
def without_a_worker_it_is_not_ready():
    with watched(workers=1) as pool:
        pool.wait_for_workers()
        tap.equal(pool.page("/readyz").status, 200, "/readyz")
        # The supervisor is stopped, so that nobody takes the place.
        pid = pool.workers()[0]
        os.kill(pool.pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        os.kill(pool.pid, signal.SIGCONT)
        pool.wait_for_workers(besides=[pid])
        kit.until("ready again", lambda: pool.page("/readyz").status == 200)


# --- The monitor itself. ---

@tap.test
def a_monitor_that_is_killed_is_replaced():
    with watched() as pool:
        pool.wait_for_workers()
        first = kit.until("there is a monitor", pool.monitor)
        os.kill(first, signal.SIGKILL)
        kit.until("there is another", lambda: pool.monitor() not in (
            None, first))
        tap.equal(pool.page("/livez").status, 200, "/livez")
        tap.equal(pool.count("forks"), 2, "forks of workers")
        tap.equal(pool.count("exits_signal"), 0, "workers ended by a signal")
        serves(pool)


@tap.test
def it_ends_with_its_supervisor():
    pool = watched()
    pool.wait_for_workers()
    kit.until("there is a monitor", pool.monitor)
    pids = procfs.children_of(pool.pid)
    pool.process.send(signal.SIGKILL)
    kit.until("all are gone",
              lambda: not any(procfs.is_alive(pid) for pid in pids))


@tap.test
def a_stopped_monitor_keeps_nobody_from_serving_and_stopping():
    with watched() as pool:
        pool.wait_for_workers()
        os.kill(kit.until("there is a monitor", pool.monitor), signal.SIGSTOP)
        serves(pool)
        pool.stop()


@tap.test
def a_reload_cuts_no_page():
    """the monitor that is replaced answers what it has in hand"""
    with watched() as pool:
        pool.wait_for_workers()
        for _ in range(3):
            first = kit.until("there is a monitor", pool.monitor)
            with open_page_socket(pool) as link:
                link.sendall(b"GET /livez HTTP/1.1\r\n")
                pool.page("/livez")  # accepted after the other one
                reloads.reload(pool)
                link.sendall(b"Host: x\r\n\r\n")
                tap.contains(read_all(link), b" 200 OK\r\n", "the page")
            kit.until("there is another", lambda first=first:
                      pool.monitor() not in (None, first))


@tap.test
def it_gives_up_what_workers_give_up():
    if os.geteuid() != 0:
        raise tap.Skip("only root has privileges to drop")
    with watched(user="nobody") as pool:
        monitor = kit.until("there is a monitor", pool.monitor)
        tap.equal(os.stat(f"/proc/{monitor}").st_uid,
                  pwd.getpwnam("nobody").pw_uid, "its user")
        tap.equal(pool.page("/status").status, 200, "/status")


@tap.test
def nobody_asking_it_does_not_wake_up():
    with watched() as pool:
        pool.wait_for_workers()
        monitor = kit.until("there is a monitor", pool.monitor)
        pool.page("/status")
        kit.until("it waits", lambda: procfs.state_of(monitor) == "S")
        nobody_wakes_up([monitor, pool.pid], 1.0)


# --- Its peers. ---

@tap.test
def peers_that_stop_cost_their_place_until_their_time_is_over():
    with watched() as pool:
        links = [open_page_socket(pool) for _ in range(PLACES)]
        for number, link in enumerate(links):
            with contextlib.suppress(ConnectionError):  # its time is over
                link.send([b"\r", b"G", b"GET /status HTTP/1.1\r\nHost: x\r\n"][
                    number % 3])
        serves(pool)
        # Beyond the places: served when those are cut off.
        tap.equal(pool.page("/livez", limit=30).status, 200, "/livez")
        for link in links:
            text = read_all(link)
            tap.check(text == b"" or b" 408 " in text.split(b"\r\n")[0],
                      f"what a stopped peer got: {text[:80]}")
            link.close()


def is_open(link):
    link.setblocking(False)
    try:
        return link.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@tap.test
def peers_that_stop_keep_nobody_away():
    """Of twice as many connections as there may be, each with half a header, the
    oldest go for the newest; so do silent ones"""
    with watched() as pool, contextlib.ExitStack() as links:
        pool.wait_for_workers()  # else it is not ready
        half = []
        for _ in range(2 * PLACES):
            half.append(links.enter_context(open_page_socket(pool)))
            with contextlib.suppress(ConnectionError):  # closed for another
                half[-1].send(b"GET /status HTTP/1.1\r\nHost: x\r\n")
        tap.equal(pool.page("/readyz", limit=30).status, 200, "/readyz")
        left = sum(map(is_open, half))
        tap.check(left >= PLACES - 1, f"{left} are left of {PLACES}; their time "
                  "was over before the page came")
        # Once it has read all of them, they have come farther than a new one.
        for _ in range(3):
            tap.equal(pool.page("/readyz", limit=30).status, 200, "/readyz")
        for _ in range(500):
            links.enter_context(open_page_socket(pool))
        for _ in range(3):
            tap.equal(pool.page("/readyz", limit=30).status, 200, "/readyz")


@tap.test
def a_foreign_name_reads_nothing():
    """DNS rebinding: a Host that is no name of this pool is 421"""
    port = kit.free_port()
    with watched(status_listen=f"{kit.HOST}:{port}",
                 status_hosts="pool.example") as pool:
        pool.wait_for_workers()  # else it is not ready
        for host, status in (("evil.example", 421), ("evil.example:80", 421),
                             (f"{kit.HOST}:{port}", 200), ("[::1]", 200),
                             ("localhost", 200), ("Pool.Example:1", 200)):
            page = pool.page("/readyz", headers={"Host": host})
            tap.equal(page.status, status, host)


@tap.test
def without_a_list_foreign_names_are_refused_on_loopback_alone():
    for listen, status in ((f"{kit.HOST}:{kit.free_port()}", 421),
                           (f"*:{kit.free_port('0.0.0.0')}", 200),
                           (kit.fresh_path("status.sock"), 200)):
        with watched(status_listen=listen) as pool:
            pool.wait_for_workers()  # else it is not ready
            page = pool.page("/readyz", headers={"Host": "evil.example"})
            tap.equal(page.status, status, str(listen))


@tap.test
def silence_has_less_time_than_half_a_header():
    """A connection that says nothing is closed before an older one that has
    begun"""
    with watched() as pool, open_page_socket(pool) as half, \
            open_page_socket(pool) as silent:
        half.send(b"GET /livez HTTP/1.1\r\n")
        tap.equal(read_all(silent), b"", "what a silent one got")
        half.send(b"Host: localhost\r\n\r\n")
        tap.contains(read_all(half), b" 200 OK\r\n", "the page")


@tap.test
def what_is_no_request_is_refused():
    texts = (b"\0" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01",
             b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 40000,
             b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10000 + b"\r\n",
             b"GET / HTTP/1.1\r\nContent-Length: 9999999\r\n"
             b"Host: x\r\n\r\n",
             b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
             b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
             b"99999999999999999999\r\n\r\n",
             b"GET /status?" + b"&" * 5000 + b" HTTP/1.0\r\n\r\n",
             b"GET /%00status%zz HTTP/1.0\r\n\r\n")
    with watched() as pool, contextlib.ExitStack() as links:
        asked = []
        for text in texts:
            link = links.enter_context(open_page_socket(pool))
            try:
                link.sendall(text)
                link.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            asked.append((text, link))
        # Some wait for the end of their time, all at once.
        for text, link in asked:
            answer = read_all(link)
            tap.check(answer == b"" or answer.startswith(b"HTTP/1."),
                      f"{text[:20]}: {answer[:40]}")
        tap.equal(pool.page("/livez").status, 200, "/livez")
        tap.equal(pool.log_lines("the monitor", "ended"), [], "its ends")


@tap.test
def replies_that_nobody_reads_stop_nobody():
    with watched(status_listen=f"{kit.HOST}:{kit.free_port()}",
                 workers=64) as pool:
        links = []
        for _ in range(PLACES - 1):
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            link.connect(pool.pages)
            link.send(b"GET /status?json HTTP/1.1\r\nHost: x\r\n\r\n")
            links.append(link)
        for _ in range(3):
            tap.equal(pool.page("/status").status, 200, "/status")
        for link in links:
            link.close()


# --- Settings. ---

@tap.test
def bad_settings_are_told():
    taken = kit.fresh_path("taken")
    taken.write_text("")
    for settings, wanted, word in (
            (["pool.status_listen=nowhere"], 78, "must be /path"),
            (["pool.status_listen=/run/x", "pool.workers=0"], 78, "supervisor"),
            ([f"pool.status_listen={taken}"], 1, "status_listen = "),
            (["pool.status_listen=/no/such/place"], 1, "directory")):
        arguments = ["-s", f"pool.listen={kit.fresh_path('sock')}"]
        for setting in settings:
            arguments += ["-s", setting]
        status, _out, errors = run_tallyd(*arguments)
        tap.equal(status, wanted, f"{settings}: {errors}")
        tap.contains(errors, word, str(settings))


sys.exit(kit.run())
