"""Many HTTP clients at once, each on a connection it keeps."""

import http.client

import kit
from clients import Clients
from pool import SAMPLE


class Crowd(Clients):
    """`count` clients post `body`, with `headers`, to `path` of a front, one
    request after the other, `turns` times or until stop(). `answers` counts
    (status, body)."""

    def __init__(self, front, count, turns=None, path="/", body=SAMPLE,
                 headers=None):
        self.front = front
        self.path, self.body, self.turns = path, body, turns
        self.headers = headers or {}
        super().__init__(count)

    def _client(self, _number):
        link = self.front.connect()
        done = 0
        while not self.over.is_set() and done != self.turns:
            try:
                link.request("POST", self.path, self.body, self.headers)
                answer = link.getresponse()
                self.note_answer((answer.status, answer.read()))
                done += 1
            except (OSError, http.client.HTTPException) as error:
                self.note_lost(error)
                link.close()
                link = self.front.connect()
        link.close()


def hold_requests(front, downstream, count):
    """`count` requests that wait for the downstream, all at once."""
    downstream.hold()
    before = len(downstream.requests)
    crowd = Crowd(front, count, turns=1)
    kit.until(f"{count} requests are with the downstream",
              lambda: len(downstream.requests) == before + count, 30)
    return crowd
