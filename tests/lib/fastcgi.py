"""The client's side of FastCGI 1.0, for tests that need no web server."""

import json
import socket
import struct

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = \
    range(1, 8)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
RESPONDER = 1


def record(kind, content=b"", request_id=1, padding=0, version=1):
    """One record; `content` has at most 65535 bytes."""
    return struct.pack(">BBHHBx", version, kind, request_id, len(content),
                       padding) + content + bytes(padding)


def stream(kind, content, request_id=1, size=65535):
    """The records of a stream, the empty one that ends it included."""
    parts = [record(kind, content[at:at + size], request_id)
             for at in range(0, len(content), size)]
    return b"".join(parts) + record(kind, b"", request_id)


def begin(role=RESPONDER, keep=False, request_id=1):
    return record(BEGIN_REQUEST, struct.pack(">HB5x", role, keep), request_id)


def pack_length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)


def pack_pairs(pairs):
    out = []
    for name, value in pairs.items():
        name, value = (text if isinstance(text, bytes) else text.encode()
                       for text in (name, str(value)))
        out += [pack_length(len(name)), pack_length(len(value)), name, value]
    return b"".join(out)


def parameters(body, path="/", method="POST", **more):
    """What a web server sends for a request with this body."""
    return {"REQUEST_METHOD": method, "SCRIPT_NAME": path,
            "CONTENT_LENGTH": len(body), "CONTENT_TYPE": "application/json",
            "SERVER_PROTOCOL": "HTTP/1.1", **more}


def request(body, pairs=None, keep=False, request_id=1, **more):
    """A whole request; `pairs` replaces the parameters, `more` adds to them
    (or sets path= and method=)."""
    pairs = parameters(body, **more) if pairs is None else pairs
    return (begin(RESPONDER, keep, request_id)
            + stream(PARAMS, pack_pairs(pairs), request_id)
            + stream(STDIN, body, request_id))


class Broken(Exception):
    """The peer ended the connection, or did not keep to the protocol."""


class Reply:
    """The answer to one request."""

    def __init__(self, output, errors, app_status, protocol_status):
        head, separator, self.body = output.partition(b"\r\n\r\n")
        if not separator:
            raise Broken(f"no header in the reply: {output!r}")
        self.errors = errors
        self.app_status = app_status
        self.protocol_status = protocol_status
        self.headers = {}
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.status = int(self.headers.get("status", "200").split()[0])

    def json(self):
        return json.loads(self.body)


class Link:
    """A connection to a pool: a path, or a (host, port)."""

    def __init__(self, address, limit=10.0):
        if isinstance(address, tuple):
            self.socket = socket.create_connection(address, limit)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(limit)
            self.socket.connect(str(address))

    def send(self, data):
        self.socket.sendall(data)

    def _receive(self, n):
        data = b""
        while len(data) < n:
            try:
                part = self.socket.recv(n - len(data))
            except ConnectionError as error:
                raise Broken(str(error)) from error
            if not part:
                raise Broken(f"the connection ended {n - len(data)} bytes "
                             "before the end of a record")
            data += part
        return data

    def read_record(self):
        """(type, request id, content)"""
        version, kind, request_id, length, padding = struct.unpack(
            ">BBHHBx", self._receive(8))
        if version != 1:
            raise Broken(f"a record of version {version}")
        content = self._receive(length)
        self._receive(padding)
        return kind, request_id, content

    def read_reply(self, request_id=1):
        """Read up to END_REQUEST."""
        streams = {STDOUT: b"", STDERR: b""}
        while True:
            kind, of, content = self.read_record()
            if of != request_id:
                raise Broken(f"a record for request {of}")
            if kind == END_REQUEST:
                app, protocol = struct.unpack(">IB3x", content)
                return Reply(streams[STDOUT], streams[STDERR], app, protocol)
            if kind not in streams:
                raise Broken(f"a record of type {kind}")
            streams[kind] += content

    def at_end(self):
        """True when the peer has closed; waits for it."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.close()


def post(address, body, limit=10.0, **more):
    """One request over a connection of its own; gives the Reply."""
    with Link(address, limit) as link:
        link.send(request(body, **more))
        return link.read_reply()
