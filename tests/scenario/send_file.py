#!/usr/bin/env python3
"""tallyctl send: a body posted to a pool without a web server."""

import json
import pathlib
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import peers
import tap
from downstream import Downstream
from pool import SAMPLE, Pool

OK = b'{"sum":42}'


def send(*arguments, given=b"", stdin=None, limit=30):
    """(exit status, standard output, standard error)"""
    if kit.TALLYCTL is None:
        raise tap.BailOut("there is no tallyctl; build it or set TALLYCTL")
    done = subprocess.run(
        [kit.TALLYCTL, *map(str, arguments)], capture_output=True, check=False,
        timeout=kit.wait_limit(limit),
        **({"stdin": stdin} if stdin is not None else {"input": given}))
    return done.returncode, done.stdout, done.stderr.decode()


def written(body):
    path = kit.fresh_path("body.json")
    path.write_bytes(body)
    return path


@tap.test
def a_file_is_sent_and_its_reply_printed():
    with Pool({"sum": {"path": "/sum"}}) as pool:
        body = written(SAMPLE)
        tap.equal(send("-c", pool.config, "send", body), (0, OK, "status 200\n"),
                  "by the settings, to the one endpoint there is")
        tap.equal(send("send", "--listen", pool.socket, "--path", "/sum?a=b",
                       body), (0, OK, "status 200\n"), "without settings")
        tap.equal(pool.count("ok"), 2, "ok")


@tap.test
def standard_input_is_sent():
    """From a pipe, whose length nobody knows, and from a file"""
    with Pool() as pool:
        tap.equal(send("-c", pool.config, "send", "-", given=SAMPLE)[:2],
                  (0, OK), "from a pipe")
        with written(b"#" + SAMPLE).open("rb", buffering=0) as file:
            file.read(1)
            tap.equal(send("-c", pool.config, "send", "-", stdin=file)[:2],
                      (0, OK), "from the middle of a file")
        tap.equal(send("-c", pool.config, "send", "-")[0], 1, "nothing")


@tap.test
def a_large_body_is_sent():
    body = b'{"items":[' + b",".join([b'{"value":1}'] * 1000000) + b"]}"
    with Pool(workers=1, listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        for where in written(body), "-":
            tap.equal(send("-c", pool.config, "send", where, given=body,
                           limit=120)[:2], (0, b'{"sum":2000000}'), "the reply")
        tap.equal(pool.count("body_bytes"), 2 * len(body), "body_bytes")


@tap.test
def a_refusal_is_status_1():
    with Downstream() as down, Pool({
            "sum": {"path": "/sum", "max_body": 100},
            "post": {"path": "/post", "downstream": down.url}}) as pool:
        for path, body, status in (
                ("/none", SAMPLE, 404), ("/sum", b"{", 400),
                ("/sum", SAMPLE + b" " * 200000, 413), ("/sum", b"", 400)):
            code, out, errors = send("-c", pool.config, "send", "--path", path,
                                     written(body))
            tap.equal((code, errors), (1, f"status {status}\n"), path)
            tap.equal(json.loads(out)["status"], status, "the problem")
        tap.equal(send("-c", pool.config, "send", written(SAMPLE))[0], 1,
                  "two endpoints: the path is /, which nobody claims")
        tap.equal(send("-c", pool.config, "send", "--path", "/post",
                       written(SAMPLE))[:2], (0, b'{"ok":true}'), "the reply")


@tap.test
def headers_go_both_ways():
    with Downstream() as down, Pool({"post": {"downstream": down.url}}) as pool:
        code, _out, errors = send(
            "-c", pool.config, "send", "-v", "--header", "X-Request-ID: id-7",
            "--header", "Idempotency-Key:order-1", written(SAMPLE))
        tap.equal(code, 0, "the exit status")
        tap.check(errors.startswith("Status: 200 OK\nContent-Type: application/"
                                    "json\n"), errors)
        tap.contains(errors, "\nX-Request-ID: id-7\n", "the header")
        request = down.take()[0]
        tap.equal(request.headers["x-request-id"], "id-7", "the request id")
        tap.equal(request.headers["idempotency-key"], "order-1", "the key")
        for header, status in (("Content-Encoding: br", 415),
                               ("Content-Length: 7", 400)):
            tap.equal(send("-c", pool.config, "send", "--header", header,
                           written(SAMPLE))[0::2],
                      (1, f"status {status}\n"), header)


@tap.test
def wrong_usage_is_told():
    body = written(SAMPLE)
    for arguments, status, words in (
            ((), 64, "give one BODY"),
            ((body, body), 64, "give one BODY"),
            (("--timeout", "0", body), 64, "--timeout: must be"),
            (("--timeout", "1y", body), 64, "a time such as"),
            (("--listen", "here", body), 64, "must be /path"),
            (("--unknown", body), 64, "--unknown: no such option"),
            (("-c", "/none", body), 78, "/none: No such file")):
        code, out, errors = send("send", *arguments)
        tap.equal((code, out), (status, b""), f"{arguments}: {errors}")
        tap.contains(errors, words, "the error")


@tap.test
def what_cannot_be_sent_is_status_2():
    with Pool() as pool:
        to = ("-c", pool.config, "send")
        body = written(SAMPLE)
        for arguments, words in (
                ((*to, "/none/at/all"), "No such file"),
                ((*to, kit.DIRECTORY), "the body cannot be read"),
                ((*to, "--path", "sum", body), "must start with /"),
                ((*to, "--path", "/" + "x" * 5000, body), "up to 2047 bytes"),
                ((*to, "--header", "none", body), 'must be "Name: value"'),
                ((*to, "--header", "a b: c", body), "letters, digits and -"),
                ((*to, "--header", "a: " + "x" * 70000, body), "too long"),
                ((*to, "--listen", "/none", body), "no connection: No such"),
                ((*to, "--listen", f"{kit.HOST}:{kit.free_port()}", body),
                 "no connection: Connection refused")):
            code, out, errors = send(*arguments)
            tap.equal((code, out), (2, b""), f"{arguments[3:]}: {errors}")
            tap.contains(errors, words, "the error")


class Peer:
    """Takes one connection, reads a request's beginning, sends `data` in two
    pieces, and closes or stays."""

    def __init__(self, data, stays=False):
        self.path = kit.fresh_path("peer.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.data, self.stays = data, stays
        self.link = None

    def serve(self):
        self.link, _from = self.listener.accept()
        self.link.recv(100)
        middle = len(self.data) // 2
        self.link.sendall(self.data[:middle])
        self.link.sendall(self.data[middle:])
        if not self.stays:
            self.link.close()

    def close(self):
        self.listener.close()
        if self.link:
            self.link.close()


def answered_by(data, *arguments, body=SAMPLE, stays=False):
    peer = Peer(data, stays)
    with peers.in_background(peer.serve):
        result = send("send", "--listen", peer.path, *arguments,
                      written(body))
    peer.close()
    return result


def end(status=0):
    return fastcgi.record(fastcgi.END_REQUEST, bytes([0, 0, 0, 0, status,
                                                      0, 0, 0]))


def output(data, padding=0):
    return fastcgi.record(fastcgi.STDOUT, data, padding=padding)


@tap.test
def other_servers_are_understood():
    """Padding, lines that end with a newline alone, what goes to STDERR"""
    said = fastcgi.record(fastcgi.STDERR, b"bad\x1b[31m\n")
    tap.equal(answered_by(said + output(b"Status: 202\nA: \x07b\n\nhel", 5)
                          + output(b"lo") + output(b"") + end(), "-v"),
              (0, b"hello", "bad?[31m\nStatus: 202\nA: ?b\n"), "the reply")


@tap.test
def a_reply_before_the_whole_body_ends_it():
    reply = output(b"Status: 413 No\r\n\r\nno") + end()
    for stays in False, True:
        tap.equal(answered_by(reply, body=b" " * (8 << 20), stays=stays)[:2],
                  (1, b"no"), "the reply")


@tap.test
def a_reply_that_is_none_is_status_2():
    good = output(b"Status: 200 OK\r\n\r\nbody")
    for data, words in (
            (b"", "ended before the reply was complete"),
            (good, "ended before the reply was complete"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak FastCGI"),
            (end(), "no CGI header"),
            (output(b"Status: 20\r\n\r\n") + end(), "no CGI header that can"),
            (output(b"x" * 20000) + end(), "no CGI header that can be read"),
            (end(2), "does not take the request: overloaded"),
            (fastcgi.record(fastcgi.STDOUT, b"x", request_id=2),
             "belongs to no request")):
        code, _out, errors = answered_by(data)
        tap.equal(code, 2, f"{data[:40]}: {errors}")
        tap.contains(errors, words, "the error")


@tap.test
def the_deadline_is_one_for_all():
    """A peer that accepts nothing, reads nothing, or says nothing"""
    with peers.Deaf() as deaf:
        address = deaf.url.partition("//")[2].partition("/")[0]
        for body in SAMPLE, b" " * (8 << 20):
            code, _out, errors = send("send", "--listen", address, "--timeout",
                                      "1s", written(body))
            tap.equal(code, 2, "the exit status")
            tap.contains(errors, "the deadline is over", "the error")
    listener = socket.socket(socket.AF_UNIX)
    path = kit.fresh_path("full.sock")
    listener.bind(str(path))
    listener.listen(0)
    with socket.socket(socket.AF_UNIX) as only:
        only.connect(str(path))
        code, _out, errors = send("send", "--listen", path, "--timeout", "1s",
                                  written(SAMPLE))
        tap.equal(code, 2, "the exit status")
        tap.contains(errors, "no connection: it took too long", "the error")
    listener.close()


@tap.test
def a_reader_that_leaves_ends_it():
    """Standard output that is full or closed is an error"""
    with Pool() as pool, open("/dev/full", "wb") as full:
        done = subprocess.run(
            [kit.TALLYCTL, "-c", pool.config, "send", written(SAMPLE)],
            stdout=full, stderr=subprocess.PIPE, check=False,
            timeout=kit.wait_limit(30))
        tap.equal(done.returncode, 2, "the exit status")
        tap.contains(done.stderr.decode(), "standard output", "the error")


sys.exit(kit.run())
