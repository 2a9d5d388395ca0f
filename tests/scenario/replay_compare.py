#!/usr/bin/env python3
"""tallyctl replay: two handlers get the same bodies; what they answer and what
they post is compared, and each difference has its kind."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from authority import Authority, need_authorities, server_context
from downstream import Answer, Downstream, Raw
from replays import Handler, command, free_address, read_lines, replay, write_cases


def at(number, other):
    """A change of case `number` alone."""
    return lambda case, total: other if case == number else total


def with_posts(ours, theirs, *arguments, count=40, **handlers):
    """Replay with both downstreams captured."""
    (listen_a, a), (listen_b, b) = free_address(), free_address()
    with Handler(a, **ours) as x, Handler(b, **theirs) as y:
        return replay(x.url, y.url, "--downstream-ours", listen_a,
                      "--downstream-theirs", listen_b, *arguments,
                      write_cases(count))


@tap.test
def equal():
    """handlers that do the same are equal"""
    with Handler() as a, Handler() as b:
        result = replay(a.url, b.url, write_cases(200)).expect(
            0, cases=200, judged=200, equal=200, mismatch=0, contract=0)
        tap.check(0.0148 < result.values["upper_bound"] < 0.0149,
                  f"the bound of 0 in 200 is {result.values['upper_bound']}")
        bodies = [sorted(request.body for request in side.take())
                  for side in (a, b)]
    tap.equal(bodies[0], bodies[1], "what both were sent")
    tap.equal(len(bodies[0]), 200, "requests")


@tap.test
def one_wrong():
    """one wrong result in many is found, named and written out"""
    out = kit.fresh_path("out.ndjson")
    with Handler(change=at(77, 5)) as a, Handler() as b:
        cases = write_cases(120)
        replay(a.url, b.url, "--out", out, cases).expect(
            1, cases=120, equal=119, mismatch=1, kinds={"equal": 119,
                                                        "reply_body": 1})
        replay(a.url, b.url, "--max-mismatch", "0.01", cases).expect(0)
        replay(a.url, b.url, "--max-mismatch", "0.008", cases).expect(1)
    [line] = read_lines(out)
    tap.equal((line["case"], line["kind"], line["class"], line["place"],
               line["pointer"], line["ours"]["reply"], line["theirs"]["reply"],
               line["body"], line["source"].rsplit(":", 1)[1]),
              (77, "reply_body", "mismatch", "reply", "/sum", '{"sum": 5}',
               '{"sum": 154}', '{"items":[{"value":77}]}', "77"), "the line")


@tap.test
def replay_again():
    """what --out has can be replayed"""
    out = kit.fresh_path("out.log")
    with Handler(change=at(3, 5)) as a, Handler() as b:
        bodies = kit.fresh_path("bodies")
        bodies.mkdir()
        (bodies / "3").write_bytes(b'{"items":[{"value":\xff}]}')
        (bodies / "2").write_bytes(b'{"items":[{"value":"\n\x01"}]}\n')
        (bodies / "1").write_bytes(b'{"items":[{"value":2}]}')
        b.answer = Answer(200, b"{}")
        replay(a.url, b.url, "--out", out, bodies).expect(1, cases=3)
        sent = [request.body for request in a.take()]
        replay(a.url, b.url, out).expect(1, cases=3)
        tap.equal(sorted(request.body for request in a.take()), sorted(sent),
                  "what was sent again")


@tap.test
def by_contract():
    """differences by contract are not mismatches"""
    cases = kit.fresh_path("cases.ndjson")
    cases.write_text('{"items":[{"value":"5"}]}\n{"items":[{}]}\n'
                     '{"items":[{"value":1}]}\n')
    refusal = Answer(422, b'{"title":"no"}')

    def ours(request, _link):
        good = request.body == b'{"items":[{"value":1}]}'
        return Answer(200, b"{}") if good else refusal
    with Downstream(ours) as a, Downstream(Answer(200, b"{}")) as b:
        replay(a.url, b.url, cases).expect(
            0, equal=1, contract=2, mismatch=0,
            kinds={"equal": 1, "coerced": 1, "missing_field": 1})
        # What is no refusal of the contract is a fault.
        a.answer = refusal
        replay(a.url, b.url, cases).expect(
            1, mismatch=1, kinds={"status": 1, "coerced": 1,
                                  "missing_field": 1})


@tap.test
def posts():
    """posts are captured and compared"""
    with_posts({}, {}).expect(0, equal=40)
    with_posts({"change": at(7, 1)}, {}).expect(
        1, kinds={"equal": 39, "downstream_body": 1})


@tap.test
def posts_in_turn():
    """a handler that passes no id on is compared one at a time"""
    with_posts({}, {"names": False}, "--jobs", 1).expect(0, equal=40)
    with_posts({"names": False}, {"names": False, "change": at(7, 1)},
               "--jobs", 1).expect(1, kinds={"equal": 39, "downstream_body": 1})
    result = with_posts({}, {"names": False}).expect(3)
    tap.check("--jobs 1" in result.errors, result.errors)


@tap.test
def posts_counted():
    """posts that are missing, or too many"""
    (listen_a, a), (listen_b, b) = free_address(), free_address()
    arguments = ("--downstream-ours", listen_a, "--downstream-theirs",
                 listen_b, "--settle", "20ms", write_cases(5))
    with Handler(a) as x, Downstream(Answer(200, b'{"ok":true}')) as y:
        replay(x.url, y.url, *arguments).expect(
            1, kinds={"downstream_extra": 5})
        replay(y.url, x.url, "--downstream-theirs", listen_a,
               "--downstream-ours", listen_b, "--settle", "20ms",
               arguments[-1]).expect(1, kinds={"downstream_missing": 5})

    class Twice(Handler):
        def post(self, body, name):
            super().post(body, name)
            super().post(body, name)
    with Twice(a) as x, Handler(b) as y:
        replay(x.url, y.url, *arguments).expect(
            1, kinds={"downstream_extra": 5})


@tap.test
def noise():
    """what a handler differs from itself in is noise"""
    clock = iter(range(1 << 30))

    def unsteady(_request, _link):
        return Answer(200, b'{"sum":1,"at":%d}' % next(clock))
    with Downstream(unsteady) as a, Downstream(unsteady) as b:
        cases = write_cases(30)
        replay(a.url, b.url, cases).expect(1, mismatch=30)
        replay(a.url, b.url, "--theirs2", b.url, cases).expect(
            0, mismatch=0, noise=30, noise_kinds={"reply_body": 30})
        steady = Answer(200, b'{"sum":2}')
        a.answer, b.answer = steady, Answer(200, b'{"sum":1}')
        replay(a.url, b.url, "--theirs2", b.url, cases).expect(
            1, mismatch=30, noise=0)


@tap.test
def bad_replies():
    """replies that are not JSON, too large, cut, late"""
    cases = write_cases(4)
    good = Answer(200, b'{"sum":1}')
    with Downstream(good) as a, Downstream(good) as b:
        for answer, kind in (
                (Answer(200, b"<html>"), "reply_not_json"),
                (Answer(200, b""), "reply_not_json"),
                (Answer(200, b'{"sum":1,"x":"' + b"x" * 5000 + b'"}'),
                 "reply_size"),
                (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
                 "broken"),
                (Raw(b"nonsense\r\n\r\n"), "broken"),
                (Raw(b""), "broken")):
            for one, other in ((a, b), (b, a)):
                one.answer = answer
                replay(a.url, b.url, "--max-reply", "4k", cases).expect(
                    1, kinds={kind: 4})
                one.answer = good
        a.hold()
        # Enough for the other one, should the machine stand still meanwhile.
        replay(a.url, b.url, "--timeout", "6s", cases).expect(
            1, kinds={"timing_out": 4})
        b.hold()
        result = replay(a.url, b.url, "--timeout", "100ms", cases).expect(
            3, judged=0, kinds={"unjudged": 4})
        tap.check("nothing was compared" in result.errors, result.errors)
        a.release()
        b.release()


@tap.test
def both_fail():
    """two that both fail prove nothing"""
    with Downstream(Answer(502, b"{}")) as a, Downstream(
            Answer(502, b"{}")) as b:
        replay(a.url, b.url, write_cases(3)).expect(
            3, judged=0, unjudged=3, kinds={"both_failed": 3})


@tap.test
def redacted():
    """nothing that was sent or answered is in a redacted file"""
    out = kit.fresh_path("out.ndjson")
    (listen_a, a), (listen_b, b) = free_address(), free_address()
    with Handler(a, change=at(2, 987654321)) as x, Handler(b) as y:
        replay(x.url, y.url, "--downstream-ours", listen_a, "--out", out,
               "--downstream-theirs", listen_b, "--redact",
               write_cases(5)).expect(1, mismatch=1)
    # The name of the directory is chance.
    text = out.read_text().replace(str(kit.DIRECTORY), "")
    [line] = read_lines(out)
    tap.check("987654321" not in text and "items" not in text
              and "ok" not in text, text)
    tap.equal((line["kind"], line["body_bytes"], line["ours"]["posts"],
               line["ours"]["posted_bytes"]),
              ("downstream_body", 23, 1, len('{"sum": 987654321}')), text)


@tap.test
def rate():
    """no more cases per second than allowed"""
    with Handler() as a, Handler() as b:
        result = replay(a.url, b.url, "--rate", "50", write_cases(26))
        result.expect(0, cases=26)
    tap.check(result.values["seconds"] >= 0.5, result.text)


@tap.test
def for_people():
    """the summary for people says the same"""
    with Handler(change=at(2, 1)) as a, Handler() as b:
        done = subprocess.run(command(a.url, b.url, write_cases(10)),
                              capture_output=True, text=True, check=False,
                              timeout=kit.wait_limit(30))
    tap.equal(done.returncode, 1, done.stderr)
    for part in ("cases                 10", "reply_body", "10.000000 %",
                 "1 mismatch to look into", "95 %"):
        tap.check(part in done.stdout, f"no {part!r} in {done.stdout}")


@tap.test
def over_tls():
    """an authority that is named is trusted, and a certificate shown"""
    need_authorities()
    ours, theirs = Authority("ours"), Authority("theirs")
    cert, key = theirs.issue("replay")
    cases = write_cases(10)
    with Downstream(tls=server_context(ours.issue("server", kit.HOST))) as a, \
            Downstream(tls=server_context(
                theirs.issue("server", kit.HOST), clients=theirs)) as b:
        names = ["--ours-ca", ours.cert, "--theirs-ca", theirs.cert]
        shown = ["--theirs-cert", cert, "--theirs-key", key]
        replay(a.url, b.url, *names, *shown, cases).expect(0, equal=10)
        replay(a.url, b.url, "--theirs2", b.url, *names, *shown,
               cases).expect(0, equal=10)
        for wrong in ([*names], [*names[:2], *shown], [*names[2:], *shown],
                      ["--ours-ca", theirs.cert, *names[2:], *shown]):
            result = replay(a.url, b.url, *wrong, cases)
            tap.check(result.status in (1, 3) and result.values["equal"] == 0,
                      f"with {wrong}: {result.text}")
        result = replay(a.url, b.url, "--theirs-ca", "/none", cases).expect(3)
        tap.contains(result.errors, "theirs_ca = /none", "what it says")


sys.exit(kit.run())
