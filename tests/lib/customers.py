"""Clients for a soak: each does one random thing after another until told to
stop, and enters all of it into a ledger."""

import http.client
import json
import socket
import threading
import time

import fastcgi
import kit
import ledger

# What the downstream is asked to do, by the share of the good requests.
TROUBLES = [("downstream_timeout", 0.004), ("downstream_broken", 0.01),
            ("downstream_status", 0.01)]
MALFORMED = [b'{"items":[{"value":1}', b"", b'{"items":[}', b"\xff\xfe",
             b'{"items":[{"value":01}]}', b'{"items":[]} x']
MISSHAPEN = [b"{}", b"[]", b'{"items":{}}', b'{"items":[{"value":"1"}]}',
             b'{"items":[{"value":1.5}]}', b'{"items":[{"valeu":1}]}']
MAX_BODY = 512 * 1024


def good_body(rng):
    """(body, sum): mostly small, now and then larger than any buffer."""
    size = rng.choice((1, 1, 3, 20, 20, 20, 100, 400, 2000))
    pad = "é\n" * (rng.randrange(20) if rng.random() < 0.3 else 0)
    items = [{"id": n, "pad": pad, "value": rng.randrange(-10**9, 10**9)}
             for n in range(rng.randrange(size + 1))]
    return (json.dumps({"items": items}).encode(),
            sum(item["value"] * 2 for item in items))


def any_body(rng):
    """(wish, body, sum)"""
    dice = rng.random()
    if dice < 0.04:
        return "malformed_json", rng.choice(MALFORMED), None
    if dice < 0.08:
        return "wrong_shape", rng.choice(MISSHAPEN), None
    if dice < 0.083:
        return "body_too_large", b" " * (MAX_BODY + 1), None
    body, total = good_body(rng)
    dice = rng.random()
    for wish, share in TROUBLES:
        if dice < share:
            return wish, body, total
        dice -= share
    return ledger.OK, body, total


class Customer(threading.Thread):
    """Stops between two requests, when `over` is set."""

    def __init__(self, book, over, rng):
        super().__init__(daemon=True)
        self.book, self.over, self.rng = book, over, rng
        self.link = None

    def run(self):
        while not self.over.is_set():
            try:
                self.act()
            except Exception as error:  # a fault of the test, told at its end
                self.book.fault(f"{type(self).__name__}: {error!r}")
                self.leave()
            if self.rng.random() < 0.1:
                self.over.wait(self.rng.random() * 0.05)
        self.leave()

    def leave(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def pieces(self, data):
        """Cut at random, with pauses in between."""
        at = 0
        while at < len(data):
            size = self.rng.randrange(1, max(len(data) // 3, 2))
            yield data[at:at + size]
            at += size
            time.sleep(self.rng.random() * 0.01)

    def act(self):
        raise NotImplementedError


class Browser(Customer):
    """Through the web server."""

    def __init__(self, front, *more):
        super().__init__(*more)
        self.front = front

    def connected(self):
        if self.link is None:
            self.link = self.front.connect(60)
            self.link.connect()
        return self.link

    def act(self):
        wish, body, total = any_body(self.rng)
        dice = self.rng.random()
        if dice < 0.03:
            self.give_up_early(body)
            return
        name = self.book.begin(wish, total)
        if dice < 0.06:
            self.give_up(name, body)
        elif dice < 0.12:
            self.ask(name, body, self.pieces(body))
        else:
            self.ask(name, body, [body])
        if self.rng.random() < 0.05:
            self.leave()

    def head(self, link, name, length):
        link.putrequest("POST", "/")
        link.putheader("X-Request-ID", name)
        link.putheader("Content-Length", str(length))
        link.endheaders()

    def ask(self, name, body, parts):
        link = self.connected()
        try:
            self.head(link, name, len(body))
            for part in parts:
                link.send(part)
            answer = link.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.book.fault(f"{name}: the web server broke: {error!r}")
            self.book.end(name, ledger.LOST)
            self.leave()
            return
        kind = answer.headers.get("Content-Type", "")
        self.book.answered(name, answer.status, json.loads(text)["outcome"]
                           if "problem+json" in kind else None)

    def give_up(self, name, body):
        """All is sent, and the answer is not waited for."""
        link = self.connected()
        self.head(link, name, len(body))
        link.send(body)
        time.sleep(self.rng.random() * 0.02)
        self.leave()
        self.book.end(name, ledger.GIVEN_UP)

    def give_up_early(self, body):
        """Half of a body: the pool never hears of it."""
        link = self.connected()
        self.head(link, "early", len(body) + 1)
        link.send(body[:len(body) // 2])
        self.leave()


class Proxy(Customer):
    """Straight to the pool, as a web server that streams bodies would."""

    def __init__(self, pool, *more):
        super().__init__(*more)
        self.pool = pool

    def connected(self):
        if self.link is None:
            self.link = self.pool.link(60)
        return self.link

    def act(self):
        wish, body, total = any_body(self.rng)
        name = self.book.begin(wish, total)
        data = fastcgi.request(body, keep=True, HTTP_X_REQUEST_ID=name)
        dice = self.rng.random()
        try:
            if dice < 0.06:
                self.break_off(name, data)
            elif dice < 0.3:
                self.ask(name, self.pieces(data))
            else:
                self.ask(name, [data])
        except (fastcgi.Broken, BrokenPipeError, ConnectionResetError):
            self.book.end(name, ledger.LOST)  # its worker was killed
            self.leave()

    def ask(self, name, parts):
        link = self.connected()
        for part in parts:
            link.send(part)
        reply = link.read_reply()
        kind = reply.headers.get("content-type", "")
        self.book.answered(name, reply.status, reply.json()["outcome"]
                           if "problem+json" in kind else None)

    def break_off(self, name, data):
        """Leave somewhere within the request."""
        link = self.connected()
        link.send(data[:self.rng.randrange(len(data))])
        if self.rng.random() < 0.5:
            link.socket.shutdown(socket.SHUT_WR)
            time.sleep(self.rng.random() * 0.02)
        self.leave()
        self.book.end(name, ledger.GIVEN_UP)


def timeout_setting():
    """The endpoint's timeout: long enough for a busy machine."""
    return f"{kit.seconds(5) * 1000:.0f}ms"
