"""A downstream that records what it gets and answers as it is told: a small
HTTP server over TCP or a unix socket, with TLS when given a context."""

import collections
import contextlib
import json
import socket
import threading

import kit
import tap

Request = collections.namedtuple(
    "Request", "method target headers body connection")
"""headers: {lower-case name: value}; connection: 1 for the first one."""


class Answer:
    """What is sent back. `close`: end the connection after it."""

    def __init__(self, status=200, body=b"{}", headers=None, close=False):
        self.close = close
        lines = {"Content-Type": "application/json",
                 "Content-Length": len(body), **(headers or {})}
        if close:
            lines["Connection"] = "close"
        self.data = (f"HTTP/1.1 {status} Because\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines.items()
            if value is not None) + "\r\n").encode() + body


class Raw(Answer):
    """Bytes as they are, then the end of the connection."""

    def __init__(self, data, close=True):
        self.data = data
        self.close = close


class Downstream:
    """Answers with `answer`: an Answer, or a function of (Request, socket)
    that gives one, or None when it has done everything by itself (the
    connection is closed then)."""

    def __init__(self, answer=None, unix=False, tls=None, host=None, port=0):
        self.answer = answer or Answer()
        self.tls = tls
        self.requests = []
        self.connections = 0
        self.lock = threading.Condition()
        self.gate = threading.Event()
        self.gate.set()
        self.closing = False
        self.open = set()
        if unix:
            self.path = kit.fresh_path("downstream.sock")
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(self.path))
            self.path.chmod(0o666)
            self.listener.listen(64)
            authority = "localhost"
        else:
            self.path = None
            host = host or kit.HOST
            self.listener = socket.create_server(
                (host, port), backlog=256, family=socket.AF_INET6
                if ":" in host else socket.AF_INET)
            self.port = self.listener.getsockname()[1]
            authority = (f"[{host}]" if ":" in host else host) + \
                f":{self.port}"
        self.url = f"{'https' if tls else 'http'}://{authority}/process"
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    # --- For the test. ---

    def hold(self):
        """From now on requests are recorded, but answered only after
        release()."""
        self.gate.clear()

    def release(self):
        self.gate.set()

    def wait_for(self, count, limit=10.0):
        """Wait until `count` requests have come; gives all of them."""
        with self.lock:
            self.lock.wait_for(lambda: len(self.requests) >= count,
                               kit.wait_limit(limit))
            if len(self.requests) < count:
                raise tap.Failure(f"the downstream got {len(self.requests)} "
                                  f"requests, not {count}")
            return list(self.requests)

    def take(self):
        """The requests so far; the record starts anew."""
        with self.lock:
            taken, self.requests = self.requests, []
            return taken

    def bodies(self):
        with self.lock:
            return [json.loads(request.body) for request in self.requests]

    def close(self):
        self.closing = True
        self.gate.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        # Before its descriptor is another's: it would accept for that one.
        self.acceptor.join(kit.wait_limit())
        self.listener.close()
        with self.lock:
            for link in self.open:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.close()

    # --- The server. ---

    def _accept(self):
        while not self.closing:
            try:
                link, _peer = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(link)
                number = self.connections
            threading.Thread(target=self._serve, args=(link, number),
                             daemon=True).start()

    def _serve(self, link, number):
        raw = link
        try:
            if self.tls:
                link = self.tls.wrap_socket(link, server_side=True)
            with link.makefile("rb") as stream:
                while self._serve_one(link, stream, number):
                    pass
        except (OSError, ValueError):
            pass  # the peer is gone, or the test is
        finally:
            link.close()
            with self.lock:
                self.open.discard(raw)

    def _serve_one(self, link, stream, number):
        request = read_request(stream, number)
        if request is None:
            return False
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()
        self.gate.wait()
        answer = self.answer
        if not isinstance(answer, Answer):
            answer = answer(request, link)
        if answer is None or self.closing:
            return False
        link.sendall(answer.data)
        return not answer.close


def read_request(stream, connection):
    """One request, or None at the end of the connection."""
    line = stream.readline()
    if not line:
        return None
    method, target, _version = line.decode("latin-1").split()
    headers = {}
    while True:
        line = stream.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body, connection)


def refusing_url():
    """A URL where nobody listens."""
    return f"http://{kit.HOST}:{kit.free_port()}/process"
