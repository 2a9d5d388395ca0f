"""A client of the status listener."""

import http.client
import socket


class _Unix(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.unix_path = path

    def connect(self):
        self.sock = open_socket(self.unix_path, self.timeout)


class Page:
    """One reply: .status, .headers (lower case names), .text"""

    def __init__(self, reply):
        self.status = reply.status
        self.headers = {name.lower(): value
                        for name, value in reply.getheaders()}
        self.text = reply.read().decode()

    @property
    def type(self):
        return self.headers.get("content-type", "").split(";")[0]


def open_socket(address, timeout):
    """Connect to a path, or to a (host, port)."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    link = socket.socket(family, socket.SOCK_STREAM)
    link.settimeout(timeout)
    link.connect(address)
    return link


def ask(address, path, timeout, method="GET", headers=None, body=None):
    """One request, on a connection of its own."""
    link = (_Unix(address, timeout) if isinstance(address, str)
            else http.client.HTTPConnection(*address, timeout=timeout))
    try:
        try:
            link.request(method, path, body, headers or {})
        except BrokenPipeError:
            pass  # answered before it had all of the body
        return Page(link.getresponse())
    finally:
        link.close()
