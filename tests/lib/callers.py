"""FastCGI clients without a web server."""

import fastcgi
import kit
from clients import Clients
from pool import SAMPLE


class Callers(Clients):
    """`count` clients of a pool, each with a new connection for each request
    or, `keep`, with one that stays. `answers` counts (status, body); `refused`
    counts connections that the pool did not take, which a web server offers to
    its next pool."""

    def __init__(self, pool, count, keep=False):
        self.address = pool.address
        self.keep = keep
        self.refused = 0
        super().__init__(count)

    def _client(self, _number):
        link = None
        while not self.over.is_set():
            try:
                link = link or fastcgi.Link(self.address, kit.wait_limit(30))
            except (ConnectionRefusedError, FileNotFoundError):
                with self.lock:
                    self.refused += 1
                self.over.wait(0.001)
                continue
            if not self._ask(link) or not self.keep:
                link.close()
                link = None

    def _ask(self, link):
        try:
            link.send(fastcgi.request(SAMPLE, keep=self.keep))
            reply = link.read_reply()
        except (OSError, fastcgi.Broken) as error:
            self.note_lost(error)
            return False
        self.note_answer((reply.status, reply.body))
        return True
