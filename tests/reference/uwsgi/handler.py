"""The same work under uWSGI: a WSGI application that keeps its connection to
the downstream. Environment: DOWNSTREAM, a URL; empty: answer {"sum":N} and
post nothing."""

import json
import os

import pycurl

DOWNSTREAM = os.environ.get("DOWNSTREAM", "")

curl = pycurl.Curl()
if DOWNSTREAM:
    curl.setopt(pycurl.URL, DOWNSTREAM)
    curl.setopt(pycurl.POST, True)
    curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json",
                                    "Expect:"])
    curl.setopt(pycurl.TIMEOUT, 10)
    curl.setopt(pycurl.WRITEFUNCTION, lambda received: None)


def post(body):
    curl.setopt(pycurl.POSTFIELDS, body)
    try:
        curl.perform()
    except pycurl.error:
        return False
    return 200 <= curl.getinfo(pycurl.RESPONSE_CODE) < 300


def work(body):
    """(status line, reply) for a body."""
    try:
        total = sum(item["value"] * 2 for item in json.loads(body)["items"])
    except (ValueError, KeyError, TypeError):
        return "400 Bad Request", b'{"error":"bad request"}'
    result = json.dumps({"sum": total}, separators=(",", ":")).encode()
    if not DOWNSTREAM:
        return "200 OK", result
    if not post(result):
        return "502 Bad Gateway", b'{"error":"downstream"}'
    return "200 OK", b'{"ok":true}'


def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    status, reply = work(environ["wsgi.input"].read(length))
    start_response(status, [("Content-Type", "application/json"),
                            ("Content-Length", str(len(reply)))])
    return [reply]
