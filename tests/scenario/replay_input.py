#!/usr/bin/env python3
"""tallyctl replay: what it reads, what it does about input, handlers and disks
that are no good, and going on after an interruption."""

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Answer, Downstream, refusing_url
from replays import Handler, command, read_lines, replay, write_cases

GOOD = Answer(200, b'{"sum":1}')


def sent(paths, *arguments, stdin=None, status=0, **values):
    """The bodies that both are sent, sorted, and the result."""
    with Downstream(GOOD) as a, Downstream(GOOD) as b:
        result = replay(a.url, b.url, *arguments, *paths, stdin=stdin)
        result.expect(status, **values)
        got = [sorted(request.body for request in side.take())
               for side in (a, b)]
    tap.equal(got[0], got[1], "what both were sent")
    return got[0], result


@tap.test
def formats():
    """files, directories, NDJSON, logs, archives, standard input"""
    top = kit.fresh_path("inputs")
    (top / "below").mkdir(parents=True)
    (top / "one.json").write_bytes(b'{"a":\n1}\n')
    (top / "below/bytes").write_bytes(b"\x00\xff")
    (top / ".hidden").write_bytes(b"no")
    (top / "empty").write_bytes(b"")
    (top / "lines.jsonl").write_bytes(b'{"b":1}\r\n\n[2]\n3')
    (top / "nginx.log").write_text(
        '{"time":"x","method":"POST","body":"{\\"c\\":\\n\\u0041}"}\n'
        '{"method":"GET","body":""}\n{"body_base64":"AP8="}\n')
    (top / "browser.har").write_text(json.dumps({"log": {"entries": [
        {"request": {"method": "GET"}},
        {"request": {"method": "POST", "postData": {"text": '{"d":"é"}'}}},
        {"request": {"method": "POST", "postData": {
            "text": "/w==", "encoding": "base64"}}}]}}))
    wanted = [b"", b'{"a":\n1}\n', b"\x00\xff", b'{"b":1}', b"[2]", b"3",
              b'{"c":\nA}', b"\x00\xff", '{"d":"é"}'.encode(), b"\xff"]
    got, _result = sent([top], cases=10, broken=0)
    tap.equal(got, sorted(wanted), "bodies of the directory")
    got, _result = sent(["-"], stdin=b'{"e":1}\n{"f":2}\n', cases=2)
    tap.equal(got, [b'{"e":1}', b'{"f":2}'], "bodies of standard input")
    got, _result = sent(["-"], "--format", "body", stdin=b"x\ny\n", cases=1)
    tap.equal(got, [b"x\ny\n"], "standard input as one body")


@tap.test
def rotated():
    """what logrotate and gzip have renamed is what it was"""
    top = kit.fresh_path("rotated")
    top.mkdir()
    def log(*values):
        return "".join(json.dumps({"method": "POST", "body": str(value)}) + "\n"
                       for value in values).encode()
    (top / "bodies.log").write_bytes(log(1, 2))
    (top / "bodies.log.1").write_bytes(log(3, 4))
    (top / "bodies.log.2.gz").write_bytes(
        gzip.compress(log(5)) + gzip.compress(log(6, 7)))
    (top / "bodies.log-20261130.gz").write_bytes(gzip.compress(log(8)))
    (top / "more.ndjson.gz").write_bytes(gzip.compress(b"9\n10"))
    (top / "body.gz").write_bytes(gzip.compress(b"11"))
    # More than any buffer, and bytes that do not compress.
    noise = os.urandom(200_000).hex()
    (top / "large.log.3.gz").write_bytes(gzip.compress(
        log(noise) + log(*range(20_000, 21_000))))
    got, _result = sent([top], broken=0)
    tap.equal(got, sorted([str(value).encode() for value in
                           (*range(1, 12), noise, *range(20_000, 21_000))]),
              "bodies")
    for name, content, why in (
            ("cut.log.gz", gzip.compress(log(1))[:-5], "cut"),
            ("none.log.gz", log(1), "wrong"),
            ("behind.log.gz", gzip.compress(log(1)) + b"more", "wrong")):
        path = kit.fresh_path(name)
        path.write_bytes(content)
        with Downstream(GOOD) as a:
            result = replay(a.url, a.url, path).expect(3)
        tap.check(str(path) in result.errors and why in result.errors,
                  result.errors)


@tap.test
def compressed_without_end():
    """a file that inflates to far more than a body may have is stepped over, in
    little memory"""
    path = kit.fresh_path("bomb.ndjson.gz")
    path.write_bytes(gzip.compress(b"x" * (64 << 20) + b"\n1\n"))
    limit = [] if kit.SANITIZED or kit.WRAPPER else [
        "prlimit", f"--data={32 << 20}"]
    with Downstream(GOOD) as a, Downstream(GOOD) as b:
        done = subprocess.run(
            [*limit, *command(a.url, b.url, "--json", "--max-body", "1m",
                              path)], check=False, capture_output=True,
            timeout=kit.wait_limit(60))
        tap.equal(done.returncode, 0, f"its status: {done.stderr}")
        values = json.loads(done.stdout)
        tap.equal((values["cases"], values["too_long"]), (1, 1), "the cases")


@tap.test
def input_that_grows():
    """a log that each request makes longer is read as far as it went"""
    for name in "grows.log", "grows.ndjson":
        path = kit.fresh_path(name)
        line = b'{"body":"{}"}\n'
        path.write_bytes(line * 50)
        def record(_request, _link, path=path, line=line):
            with path.open("ab") as out:
                out.write(line)
            return GOOD
        with Downstream(record) as a, Downstream(GOOD) as b:
            replay(a.url, b.url, path).expect(0, cases=50, broken=0)
            with path.open("rb") as file:
                process = subprocess.run(
                    command(a.url, b.url, "--json", "--format",
                            path.suffix[1:], "-"), stdin=file,
                    capture_output=True, check=False,
                    timeout=kit.wait_limit(60))
            tap.equal(json.loads(process.stdout)["cases"], 100, "of stdin")


@tap.test
def output_that_is_read():
    """what it would write is not read, and is not cut either"""
    top = kit.fresh_path("both")
    top.mkdir()
    cases = write_cases(10).rename(top / "cases.ndjson")
    text = cases.read_bytes()
    link = kit.fresh_path("link")
    link.symlink_to(cases)
    with Downstream(GOOD) as a, Downstream(Answer(200, b"{}")) as b:
        for option, name, paths in (
                ("--out", cases, [cases]), ("--state", cases, [cases]),
                ("--out", link, [top]), ("--out", cases, [link])):
            result = replay(a.url, b.url, option, name, *paths).expect(3)
            tap.check("is read and would be written" in result.errors,
                      result.errors)
            tap.equal(cases.read_bytes(), text, "the file")
        result = subprocess.run(
            command(a.url, b.url, "--out", cases, "-"), check=False,
            stdin=cases.open("rb"), capture_output=True,
            timeout=kit.wait_limit(60))
        tap.equal((result.returncode, cases.read_bytes()), (3, text), "of stdin")
        tap.equal(a.take(), [], "requests")


@tap.test
def refused_by_both():
    """a file of which both handlers take nothing proves nothing"""
    good = write_cases(20)
    bad = kit.fresh_path("bad.ndjson")
    bad.write_text("[]\n{}\n")
    body = kit.fresh_path("body")
    body.write_bytes(b"x")
    state = kit.fresh_path("state")
    def refuse(request, _link):
        return GOOD if b"value" in request.body else Answer(400, b"{}")
    with Downstream(refuse) as a, Downstream(refuse) as b:
        for paths, status, files in (
                ([good], 0, 0), ([good, bad], 3, 1), ([bad, good], 3, 1),
                ([bad, body, good, bad], 3, 3), ([good, body], 3, 1),
                ([body], 3, 1)):
            result = replay(a.url, b.url, *paths).expect(
                status, unproved=files, mismatch=0)
            tap.check((files > 0) == ("prove nothing" in result.errors),
                      result.errors)
        mixed = kit.fresh_path("mixed")
        mixed.mkdir()
        (mixed / "bad").write_bytes(b"x")
        (mixed / "good").write_bytes(b'{"value":1}')
        replay(a.url, b.url, mixed).expect(0, unproved=0)
        # A file that has grown since is looked at anew.
        arguments = ["--state", state, bad]
        replay(a.url, b.url, *arguments).expect(3, unproved=1, cases=2)
        with bad.open("a") as out:
            out.write('{"value":1}\n')
        replay(a.url, b.url, *arguments).expect(0, unproved=0, cases=3)
        text = subprocess.run(
            command(a.url, b.url, body), check=False, capture_output=True,
            text=True, timeout=kit.wait_limit(60)).stdout
        tap.contains(text, "verdict       no proof", "the verdict")
    with Downstream(GOOD) as a, Downstream(Answer(400, b"{}")) as b:
        replay(a.url, b.url, bad).expect(1, unproved=0)


@tap.test
def broken_lines():
    """lines that cannot be used are counted, told, and not sent"""
    lines = kit.fresh_path("lines.ndjson")
    lines.write_bytes(b'{"a":1}\n{"a":\n\xff\n{"b":2}\n{"cut')
    log = kit.fresh_path("access.log")
    log.write_bytes(b'{"body":"1"}\nGET / 200\n{"body":7}\n{}\n'
                    b'{"body_base64":"*"}\n{"body":"2"}\n')
    archive = kit.fresh_path("x.har")
    archive.write_bytes(b'{"log":{"entries":[{"request":{"method":"POST"}},'
                        b'{}]}}')
    other = kit.fresh_path("y.har")
    other.write_bytes(b"{}")
    got, result = sent([lines, log, archive, other], cases=4, broken=10)
    tap.equal(got, [b"1", b"2", b'{"a":1}', b'{"b":2}'], "what was sent")
    tap.check(f"{lines}:2: the line is not JSON" in result.errors
              and "more of that is only counted" in result.errors,
              result.errors)


@tap.test
def long_bodies():
    """bodies over the limit are counted, told, and not sent"""
    lines = kit.fresh_path("lines.ndjson")
    lines.write_text('"' + "x" * 998 + '"\n' + '"' + "x" * 999 + '"\n1\n')
    body = kit.fresh_path("body")
    body.write_text("y" * 1001)
    log = kit.fresh_path("long.log")
    log.write_text('{"body":"%s"}\n{"body":"2"}\n' % ("z" * 1001))
    got, result = sent([lines, body, log], "--max-body", "1000", cases=3,
                       too_long=3, broken=0)
    tap.equal(got, [b'"' + b"x" * 998 + b'"', b"1", b"2"], "what was sent")
    tap.check(f"{body}: the file is over the limit" in result.errors,
              result.errors)


@tap.test
def usage():
    """wrong usage ends with 64, wrong settings with 78, and it says what is wrong"""
    for arguments, part, *status in (
            (["--theirs", "http://a/", "x"], "--ours and --theirs are needed"),
            (["--ours", "http://a/", "--theirs", "http://a/"], "give PATH"),
            (["--ours", "ftp://a/", "--theirs", "http://a/", "x"], "--ours"),
            (["--jobs", "65"], "--jobs: must be 1..64"),
            (["--format", "xml"], "auto|body|ndjson|log|har"),
            (["--max-mismatch", "2"], "--max-mismatch"),
            (["--config", "/none", "--ours", "http://a/", "--theirs",
              "http://a/", "x"], "/none", 78),
            (["--endpoint", "none", "--ours", "http://a/", "--theirs",
              "http://a/", "x"], "--endpoint"),
            (["--set", "pool.workers=x", "--ours", "http://a/", "--theirs",
              "http://a/", "x"], "workers = x", 78),
            (["--theirs-cert", "x", "--ours", "http://a/", "--theirs",
              "http://a/", "x"], "--theirs-cert and --theirs-key: give both"),
            (["--ours-key", "x", "--ours", "http://a/", "--theirs",
              "http://a/", "x"], "--ours-cert and --ours-key: give both"),
            (["--nonsense"], "nonsense")):
        done = subprocess.run([kit.TALLYCTL, "replay", *arguments],
                              capture_output=True, text=True, check=False,
                              timeout=kit.wait_limit(20))
        tap.equal(done.returncode, *(status or [64]),
                  f"status of {arguments}: {done.stderr}")
        tap.check(part in done.stderr, f"{arguments}: {done.stderr}")


@tap.test
def cannot_run():
    """what keeps it from running ends with 3 and says why"""
    cases = write_cases(100)
    with Downstream(GOOD) as a:
        gone = refusing_url()
        for ours, theirs, name in ((gone, a.url, "--ours"),
                                   (a.url, gone, "--theirs")):
            result = replay(ours, theirs, cases).expect(3, judged=0)
            tap.check(f"{name} {gone} cannot be reached" in result.errors,
                      result.errors)
        for path in ("/no/such/file", "/proc/self/mem"):
            result = replay(a.url, a.url, path).expect(3)
            tap.check(path in result.errors, result.errors)
        address = f"{kit.HOST}:{a.port}"
        result = replay(a.url, a.url, "--downstream-ours", address, cases)
        result.expect(3)
        tap.check("--downstream-ours" in result.errors, result.errors)
        empty = kit.fresh_path("empty.ndjson")
        empty.write_text("")
        result = replay(a.url, a.url, empty).expect(3, cases=0)
        tap.check("nothing was compared" in result.errors, result.errors)


@tap.test
def full_disk():
    """a full disk ends it with 3, and is named"""
    cases = write_cases(500)
    with Downstream(GOOD) as a, Downstream(Answer(200, b"{}")) as b:
        result = replay(a.url, b.url, "--out", "/dev/full", cases).expect(3)
        tap.check("--out /dev/full: No space left" in result.errors,
                  result.errors)
        result = replay(a.url, b.url, "--state", "/nowhere/state", cases)
        result.expect(3)
        tap.check("--state /nowhere/state" in result.errors, result.errors)


@tap.test
def state_of_others():
    """a state of another run, or none at all, is refused"""
    state = kit.fresh_path("state")
    cases = write_cases(10)
    with Downstream(GOOD) as a, Downstream(GOOD) as b:
        replay(a.url, b.url, "--state", state, cases).expect(0, cases=10)
        result = replay(b.url, a.url, "--state", state, cases).expect(3)
        tap.check("of a run with other" in result.errors, result.errors)
        whole = state.read_text()
        for text in ("nonsense\n", whole[:-6], whole.replace("done", "dome")):
            state.write_text(text)
            result = replay(a.url, b.url, "--state", state, cases).expect(3)
            tap.check("--state" in result.errors, result.errors)
        state.write_text(whole)
        a.take()
        replay(a.url, b.url, "--state", state, cases).expect(0, cases=10)
        tap.equal(a.take(), [], "what was sent again")


@tap.test
def two_with_one_state():
    """the second one is refused, is told of the first, and changes nothing;
    what a killed one has left keeps nobody away"""
    state, out = kit.fresh_path("state"), kit.fresh_path("out.ndjson")
    lock = pathlib.Path(f"{state}.lock")
    cases = write_cases(30)
    with Downstream(GOOD) as a, Downstream(Answer(200, b"{}")) as b:
        arguments = ["--state", state, "--out", out, cases]
        for number in signal.SIGKILL, signal.SIGTERM:
            a.hold()
            first = kit.Process("first", command(a.url, b.url, *arguments))
            kit.until("the first one has the state", lambda first=first: (
                lock.exists() and lock.read_text() == f"{first.pid}\n"
                and a.requests))
            text = out.read_bytes()
            result = replay(b.url, a.url, *arguments).expect(3)
            tap.check(f"--state {lock}: process {first.pid} (" in
                      result.errors, result.errors)
            tap.equal(out.read_bytes(), text, "what the first one has written")
            first.send(number)
            a.release()
            first.wait()
            a.take()
        replay(a.url, b.url, *arguments).expect(1, cases=30)
        tap.check(not lock.exists(), "the lock stays")


def interrupt_and_go_on(number, status):
    """Every seventh case differs. End a run by a signal when a third is done,
    and go on: nothing is missing, nothing is there twice."""
    cases = write_cases(300)
    state, out = kit.fresh_path("state"), kit.fresh_path("out.ndjson")
    with Handler(change=lambda case, total: total + (case % 7 == 0)) as a, \
            Handler() as b:
        arguments = ["--state", state, "--out", out, cases]
        # A screen is drawn, and the state kept, five times a second.
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            command(a.url, b.url, "--json", "--rate", 97, *arguments),
            stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
        os.close(theirs)
        kit.until("a state with cases is kept", lambda: state.exists()
                  and "\ndone 0\n" not in state.read_text())
        a.wait_for(100)
        process.send_signal(number)
        process.communicate(timeout=kit.wait_limit(30))
        os.close(ours)
        tap.equal(process.returncode, status, "exit status")
        before = len(a.take())
        tap.check(before < 300, "it was over before it was interrupted")
        # What a run had written beyond its last state when it was killed.
        with out.open("ab") as file:
            file.write(b'{"case":1}\n{"case":')
        result = replay(a.url, b.url, *arguments)
        result.expect(1, cases=300, equal=258, mismatch=42)
        after = len(a.take())
    wanted = list(range(7, 301, 7))
    tap.equal([line["case"] for line in read_lines(out)], wanted, "cases")
    tap.equal([int(line["source"].rsplit(":", 1)[1])
               for line in read_lines(out)], wanted, "their lines")
    return before + after


@tap.test
def interrupted():
    """an interrupted run goes on where it was, and asks nothing twice"""
    tap.equal(interrupt_and_go_on(signal.SIGINT, 3), 300, "requests")


@tap.test
def killed():
    """a killed run goes on from its last state"""
    tap.check(interrupt_and_go_on(signal.SIGKILL, -9) >= 300, "requests")


@tap.test
def quiet_input():
    """an input that brings nothing does not keep it from ending"""
    with Downstream(GOOD) as a, Downstream(GOOD) as b:
        process = subprocess.Popen(command(a.url, b.url, "--json", "-"),
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdin.write(b'{"a":1}\n')
        process.stdin.flush()
        a.wait_for(1)
        b.wait_for(1)
        process.send_signal(signal.SIGTERM)
        tap.equal(process.wait(kit.wait_limit(20)), 3, "exit status")
        text = process.stdout.read()
        tap.equal(json.loads(text)["cases"], 1, "cases")
        tap.check(b"--state FILE" in process.stderr.read(), "the hint")
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


sys.exit(kit.run())
