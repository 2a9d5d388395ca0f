#!/usr/bin/env python3
"""An open loop: RATE requests a second, sent when they are due, whether or not
those before them were answered. Request N carries values whose sum is N.

usage: hosts_load.py ADDRESS PORT RATE OUT [--keep] [--reconnect]

--keep: connections that stay open are used again. --reconnect: a request whose
connection is refused connects again; nothing of it was sent. It sends until a
line comes on standard input, "stop PATIENCE": then it waits for so many seconds
for what is not answered, and ends. OUT gets a line for each request that ended,
`N SENT ENDED STATUS WHY`: times as time.monotonic() has them, STATUS 0 where no
reply came."""

import errno
import os
import select
import socket
import sys
import time

AGAIN = 0.05  # seconds until a refused connection is tried again


class Request:
    def __init__(self, number, sent):
        self.number, self.sent = number, sent
        self.data = b""
        self.link = None
        self.reused = self.connected = False


class Load:
    def __init__(self, address, port, rate, out, keep, reconnect):
        self.where = (address, int(port))
        self.rate = float(rate)
        self.out = open(out, "w", encoding="ascii", buffering=1 << 16)
        self.keep, self.reconnect = keep, reconnect
        self.poll = select.epoll()
        self.open = {}  # descriptor: Request
        self.idle = []  # sockets
        self.later = []  # (time, Request) to be tried again, in order

    # --- One request. ---

    def body(self, number):
        return b'{"items":[{"value":%d},{"value":%d}]}' % (
            number // 2, number - number // 2)

    def begin(self, request):
        if self.keep and self.idle:
            request.link = self.idle.pop()
            request.reused = request.connected = True
            self.open[request.link.fileno()] = request
            self.poll.modify(request.link, select.EPOLLIN)
            self.send(request)
            return
        request.reused = request.connected = False
        request.link = socket.socket()
        request.link.setblocking(False)
        code = request.link.connect_ex(self.where)
        if code not in (0, errno.EINPROGRESS):
            self.not_connected(request, code)
            return
        self.open[request.link.fileno()] = request
        self.poll.register(request.link, select.EPOLLOUT)

    def send(self, request):
        body = self.body(request.number)
        try:
            request.link.send(
                b"POST /process HTTP/1.1\r\nHost: tallyd\r\n%s"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                b"%s" % (b"" if self.keep else b"Connection: close\r\n",
                         len(body), body))
        except OSError as error:
            self.end(request, 0, errno.errorcode[error.errno])

    def not_connected(self, request, code):
        self.forget(request)
        if self.reconnect:
            self.later.append((time.monotonic() + AGAIN, request))
        else:
            self.note(request, 0, "connect-" + errno.errorcode.get(code, "?"))

    def ready(self, request):
        if not request.connected:
            code = request.link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.not_connected(request, code)
                return
            request.connected = True
            self.poll.modify(request.link, select.EPOLLIN)
            self.send(request)
            return
        try:
            more = request.link.recv(65536)
        except OSError as error:
            self.end(request, 0, errno.errorcode[error.errno])
            return
        request.data += more
        if not more:
            self.end(request, 0, "closed-kept" if request.reused else "closed")
            return
        status = self.whole(request.data)
        if status:
            self.end(request, status, "-", leave=self.keep
                     and b"\r\nConnection: close" not in request.data)

    @staticmethod
    def whole(data):
        """The status of a complete reply, or 0."""
        head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            return 0
        lines = head.lower().split(b"\r\n")
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length" and len(body) < int(value):
                return 0
            if name == b"transfer-encoding" and not body.endswith(
                    b"0\r\n\r\n"):
                return 0
        return int(lines[0].split()[1])

    def forget(self, request, leave=False):
        if self.open.pop(request.link.fileno(), None) is not None:
            if leave:
                # Its end, if it comes before it is used again, is seen there.
                self.poll.modify(request.link, 0)
            else:
                self.poll.unregister(request.link)
        if leave:
            self.idle.append(request.link)
        else:
            request.link.close()

    def end(self, request, status, why, leave=False):
        self.forget(request, leave)
        self.note(request, status, why)

    def note(self, request, status, why):
        self.out.write(f"{request.number} {request.sent:.6f} "
                       f"{time.monotonic():.6f} {status} {why}\n")

    # --- All of them. ---

    def turn(self, wait):
        for descriptor, events in self.poll.poll(wait):
            request = self.open.get(descriptor)
            if request:
                self.ready(request)
            elif events & (select.EPOLLHUP | select.EPOLLERR):
                self.drop_idle(descriptor)
        now = time.monotonic()
        while self.later and self.later[0][0] <= now:
            self.begin(self.later.pop(0)[1])
        self.out.flush()

    def drop_idle(self, descriptor):
        for link in self.idle:
            if link.fileno() == descriptor:
                self.idle.remove(link)
                self.poll.unregister(link)
                link.close()
                return

    def run(self):
        began, number, patience = time.monotonic(), 0, None
        self.poll.register(sys.stdin, select.EPOLLIN)
        while patience is None:
            now = time.monotonic()
            while now >= began + number / self.rate:
                number += 1
                self.begin(Request(number, now))
            self.turn(max(0.0, began + number / self.rate - time.monotonic()))
            if select.select([sys.stdin], [], [], 0)[0]:
                patience = float((os.read(0, 100).split() or [0, 0])[1])
        self.poll.unregister(sys.stdin)
        deadline = time.monotonic() + patience
        while (self.open or self.later) and time.monotonic() < deadline:
            self.turn(0.02)
        left = list(self.open.values()) + [one for _at, one in self.later]
        for request in left:
            self.note(request, 0, "unanswered")
        self.out.close()


def main(arguments):
    options = [word for word in arguments if word.startswith("--")]
    address, port, rate, out = (word for word in arguments
                                if not word.startswith("--"))
    Load(address, port, rate, out, "--keep" in options,
         "--reconnect" in options).run()


if __name__ == "__main__":
    main(sys.argv[1:])
