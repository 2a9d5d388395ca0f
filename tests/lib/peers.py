"""Faults of downstreams that several scenarios use: answers for a
downstream.Downstream, and peers that are less than an HTTP server."""

import contextlib
import socket
import struct
import threading
import time

import kit
from downstream import Answer


def reset_at_close(link):
    """Closing this socket sends RST instead of FIN."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


class CutReused:
    """Answers the first request of each connection and keeps the connection;
    reads the next one and ends the connection without a word."""

    def __init__(self, reset=False):
        self.seen = set()
        self.reset = reset

    def __call__(self, request, link):
        if request.connection not in self.seen:
            self.seen.add(request.connection)
            return Answer()
        if self.reset:
            reset_at_close(link)
        return None


def reset(_request, link):
    """Reads the request, then resets the connection."""
    reset_at_close(link)


def drip(bytes_each=b" ", head=b"HTTP/1.1 200 OK\r\nContent-Length: 100000"
         b"\r\n\r\n"):
    """A function that sends `head`, then a little again and again."""
    def answer(_request, link):
        link.sendall(head)
        while True:  # the peer ends it
            link.sendall(bytes_each)
            time.sleep(0.01)  # this is the fault, not a wait for something
    return answer


def flood(head, part):
    """A function that sends `head`, then `part` as fast as it can."""
    def answer(_request, link):
        link.sendall(head)
        while True:  # the peer ends it
            link.sendall(part * 64)
    return answer


class FullBacklog:
    """A listener whose backlog is full: it neither accepts nor refuses."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind((kit.HOST, 0))
        self.listener.listen(0)
        address = self.listener.getsockname()
        self.url = f"http://{address[0]}:{address[1]}/process"
        self.waiting = [socket.socket() for _ in range(4)]
        for one in self.waiting:
            one.setblocking(False)
            one.connect_ex(address)

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        for one in [self.listener, *self.waiting]:
            one.close()


class Deaf:
    """Accepts and reads nothing. `closes`: ends every connection at once,
    else keeps it open in silence."""

    def __init__(self, closes=False, scheme="http"):
        self.closes = closes
        self.accepted = []
        self.listener = socket.create_server((kit.HOST, 0))
        port = self.listener.getsockname()[1]
        self.url = f"{scheme}://{kit.HOST}:{port}/process"
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def _accept(self):
        while True:
            try:
                link, _peer = self.listener.accept()
            except OSError:
                return
            self.accepted.append(link)
            if self.closes:
                link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join(kit.wait_limit())  # as downstream.py has it
        self.listener.close()
        for link in self.accepted:
            link.close()


@contextlib.contextmanager
def in_background(function):
    """Run it in a thread; gives the thread, waits for it at the end."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(kit.wait_limit(10))
