#!/usr/bin/env python3
"""A downstream that writes down each post and answers it after a while.

usage: hosts_downstream.py ADDRESS PORT DELAY OUT

OUT gets `post TIME SUM PEER` when a request is complete, `answer TIME SUM PEER`
when its answer is sent; times as time.monotonic() has them. A line `slow KEY
DELAY` on standard input makes answers to one peer, or those to a sum, take so many
seconds."""

import heapq
import json
import os
import select
import socket
import sys
import time


class Peer:
    def __init__(self, link, name):
        self.link, self.name, self.data = link, name, b""


class Downstream:
    def __init__(self, address, port, delay, out):
        self.listener = socket.create_server((address, int(port)),
                                             backlog=1024)
        self.listener.setblocking(False)
        self.delay, self.delays = float(delay), {}
        self.out = open(out, "w", encoding="ascii", buffering=1 << 16)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.peers = {}
        self.due = []  # (time, serial, Peer, sum)
        self.serial = 0

    def accept(self):
        try:
            link, (name, _port) = self.listener.accept()
        except OSError:
            return
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peers[link.fileno()] = Peer(link, name)
        self.poll.register(link, select.EPOLLIN)

    def leave(self, peer):
        self.peers.pop(peer.link.fileno(), None)
        self.poll.unregister(peer.link)
        peer.link.close()

    def write(self, what, total, peer):
        self.out.write(f"{what} {time.monotonic():.6f} {total} {peer.name}\n")

    def read(self, peer):
        try:
            more = peer.link.recv(65536)
        except OSError:
            more = b""
        if not more:
            self.leave(peer)
            return
        peer.data += more
        while True:
            head, found, rest = peer.data.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(
                b"\r\n")[0])
            if len(rest) < length:
                return
            total = json.loads(rest[:length])["sum"]
            peer.data = rest[length:]
            self.write("post", total, peer)
            self.serial += 1
            delay = self.delays.get(str(total), self.delays.get(
                peer.name, self.delay))
            heapq.heappush(self.due, (time.monotonic() + delay, self.serial,
                                      peer, total))

    def answer(self, peer, total):
        if peer.link.fileno() < 0:
            return
        self.write("answer", total, peer)
        try:
            peer.link.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        except OSError:
            self.leave(peer)

    def obey(self):
        """False: nobody gives orders any more."""
        lines = os.read(0, 4096).decode()
        for line in lines.splitlines():
            _slow, key, delay = line.split()
            self.delays[key] = float(delay)
        return bool(lines)

    def run(self):
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) \
                if self.due else 60
            for descriptor, _events in self.poll.poll(wait):
                if descriptor == self.listener.fileno():
                    self.accept()
                elif descriptor == 0:
                    if not self.obey():
                        return
                elif descriptor in self.peers:
                    self.read(self.peers[descriptor])
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                _at, _serial, peer, total = heapq.heappop(self.due)
                self.answer(peer, total)
            self.out.flush()


if __name__ == "__main__":
    Downstream(*sys.argv[1:]).run()
