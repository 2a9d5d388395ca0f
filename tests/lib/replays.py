"""tallyctl replay, and handlers for it to compare."""

import http.client
import json
import subprocess

import kit
import tap
from downstream import Answer, Downstream

def add_up(body):
    """What the handler does: the sum of a valid body."""
    return sum(item["value"] * 2 for item in json.loads(body)["items"])


class Handler(Downstream):
    """Answers as the contract says: the sum, or {"ok":true} when `posts` names
    a (host, port) that gets it first. `change`(number, sum) gives another sum,
    `names` says whether the request id is passed on."""

    def __init__(self, posts=None, change=None, names=True):
        self.posts = posts
        self.change = change or (lambda _number, total: total)
        self.names = names
        super().__init__(self.serve)

    def serve(self, request, _link):
        try:
            total = add_up(request.body)
        except (ValueError, KeyError, TypeError):
            return Answer(400, b'{"error":"bad request"}')
        total = self.change(int(request.headers["x-request-id"].split("-")[2]),
                            total)
        if total is None:
            return None
        body = json.dumps({"sum": total}).encode()
        if self.posts is None:
            return Answer(200, body)
        self.post(body, request.headers["x-request-id"])
        return Answer(200, b'{"ok":true}')

    def post(self, body, name):
        link = http.client.HTTPConnection(*self.posts, timeout=kit.wait_limit(20))
        headers = {"Content-Type": "application/json"}
        if self.names:
            headers["X-Request-ID"] = name
        try:
            link.request("POST", "/process", body, headers)
            reply = link.getresponse()
            reply.read()
            tap.equal(reply.status, 204, "what the capture answers")
        finally:
            link.close()


def command(ours, theirs, *arguments):
    if kit.TALLYCTL is None:
        raise tap.BailOut("there is no tallyctl; build it or set TALLYCTL")
    return [kit.TALLYCTL, "replay", "--ours", ours, "--theirs", theirs,
            *map(str, arguments)]


class Result:
    """How a replay ended: .status, .text, .errors, and the summary's .values"""

    def __init__(self, status, text, errors):
        self.status = status
        self.text = text
        self.errors = errors
        self.values = json.loads(text) if text.startswith("{") else {}
        if kit.REPORTS.search(errors):
            raise tap.Failure(errors)

    def expect(self, status, **values):
        """Check the exit status and some members of the summary."""
        tap.equal(self.status, status, f"exit status; {self.errors}")
        for name, value in values.items():
            tap.equal(self.values.get(name), value, f"{name} in {self.text}")
        return self


def replay(ours, theirs, *arguments, stdin=None, limit=60):
    """Run one to its end, with --json."""
    done = subprocess.run(command(ours, theirs, "--json", *arguments),
                          input=stdin, capture_output=True, check=False,
                          timeout=kit.wait_limit(limit), cwd=kit.DIRECTORY,
                          **({} if stdin is not None
                             else {"stdin": subprocess.DEVNULL}))
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def read_lines(path):
    """The cases of an --out file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write_cases(count, name="cases.ndjson"):
    """`count` bodies, case N adding up to 2 N."""
    path = kit.fresh_path(name)
    path.write_text("".join(
        '{"items":[{"value":%d}]}\n' % (number + 1)
        for number in range(count)))
    return path


def free_address():
    """(what to listen on, what to connect to)"""
    port = kit.free_port()
    return f"{kit.HOST}:{port}", (kit.HOST, port)
