#!/usr/bin/env python3
"""tallyctl shadow report: what a running shadow has found out, and results and
captured posts paired by their request ids."""

import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Answer, Downstream
from pool import SAMPLE, Pool, run_tallyctl

EQUAL = Answer(body=b'{"sum":42}')


def shadowed(old, **more):
    return Pool(workers=1, status_listen=kit.fresh_path("status.sock"), shadow={
        "url": old.url.removesuffix("/process"), "share": 1, **more})


def compared(pool, count):
    kit.until(f"{count} are compared",
              lambda: sum(pool.status()["shadow"]["kinds"].values()) == count)
    # Counted when the copy is handed over, and may be compared already.
    pool.wait_for_count("shadow_sampled", count)


def report(pool, *more):
    return run_tallyctl("shadow", "report", "-c", pool.config, *more)


@tap.test
def a_week_without_a_difference_has_its_bound():
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        for _ in range(59):
            pool.post(SAMPLE)
        compared(pool, 59)
        status, text, errors = report(pool)
        tap.equal((status, errors), (0, ""), "the report")
        for part in ("since         20", "sampled 59, dropped 0",
                     "equal                 59  100.0000 %",
                     "at most 4.950",  # 1 - 0.05 ** (1 / 59)
                     "no mismatch; with 95 % confidence fewer than 1 in 20"):
            tap.contains(text, part, "the report")
        page = json.loads(report(pool, "--json")[1])
        tap.equal((page["requests"], page["sampled"],
                   page["comparison"]["equal"]), (59, 59, 59), "as JSON")
        tap.check(abs(page["comparison"]["upper_bound"]
                      - (1 - 0.05 ** (1 / 59))) < 1e-9, "the bound")


@tap.test
def differences_are_told_everywhere():
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        pool.post(SAMPLE)
        compared(pool, 1)
        old.answer = Answer(body=b'{"sum":43}')
        pool.post(SAMPLE)
        compared(pool, 2)
        old.answer = Answer(status=400, body=b'{"error":"no"}')
        pool.post(SAMPLE)
        pool.post(b"{")  # both refuse, in words of their own
        compared(pool, 4)
        status, text, _errors = report(pool)
        tap.equal(status, 1, "the exit status")
        for part in ("reply_body", "status", "error_shape",
                     "2 mismatches to look into"):
            tap.contains(text, part, "the report")
        tap.equal(report(pool, "--max-mismatch", "0.6")[0], 0,
                  "the exit status below the limit")
        told = "answers 2 of 4 sampled requests otherwise"
        tap.contains(run_tallyctl("-c", pool.config, "status")[1], told,
                     "the status")
        tap.contains(run_tallyctl("-c", pool.config, "status")[1],
                     "shadow: compared 4, equal 1, by contract 1, "
                     "mismatches 2, not judged 0", "the status")
        page = pool.page("/status?html").text
        for part in (told, "<h2>Shadow</h2>", "reply_body", "error_shape"):
            tap.contains(page, part, "the page")
        metrics = pool.page("/metrics").text
        for part in ('{kind="equal",class="equal"} 1',
                     '{kind="reply_body",class="mismatch"} 1',
                     '{kind="error_shape",class="contract"} 1'):
            tap.contains(metrics, "tallyd_shadow_compared_total" + part,
                         "the metrics")


@tap.test
def a_pool_without_a_shadow_says_so():
    with Pool(workers=1, status_listen=kit.fresh_path("s.sock")) as pool:
        status, text, _errors = report(pool)
        tap.equal(status, 0, "the exit status")
        tap.contains(text, "nothing was compared", "the verdict")
        tap.check("shadow:" not in run_tallyctl(
            "-c", pool.config, "status")[1], "the status")
        tap.check("Shadow" not in pool.page("/status?html").text, "the page")
        pool.stop()
        tap.equal(report(pool)[0], 69, "the exit status without a pool")


# --- Pairs. ---

def pair(results, posts, *more):
    """`results` and `posts`: lines, as objects or text."""
    paths = []
    for lines in results, posts:
        paths.append(kit.fresh_path("lines.ndjson"))
        paths[-1].write_text("".join(
            (line if isinstance(line, str) else json.dumps(line)) + "\n"
            for line in lines))
    status, text, errors = run_tallyctl(
        "shadow", "report", "--results", paths[0], "--capture", paths[1],
        "--json", *more)
    tap.equal(errors, "", "what it complains of")
    page = json.loads(text)
    kinds = page["comparison"]["kinds"]
    return status, page, kinds


def ours(name, result=None, endpoint="mirror", **more):
    said = {"status": 200, "outcome": "ok", "result": result} if result else \
        {"status": 422, "outcome": "wrong_shape"}
    return {"request_id": name, "endpoint": endpoint, **said, **more}


def theirs(name, body):
    return {"request_id": name, "body": body}


SUM = '{"sum":42}'


@tap.test
def pairs_are_judged_by_id_in_any_order():
    names = [f"id-{n}" for n in range(3000)]
    status, page, kinds = pair([ours(name, f'{{"sum":{n}}}')
                                for n, name in enumerate(names)],
                               [theirs(name, f'{{"sum": {n}}}')
                                for n, name in reversed(
                                    list(enumerate(names)))])
    tap.equal((status, kinds), (0, {"equal": 3000}), "verdicts")
    tap.equal((page["results"], page["posts"], page["unclaimed"]),
              (3000, 3000, 0), "lines")


@tap.test
def each_difference_has_its_kind():
    config = kit.fresh_path("tallyd.conf")
    config.write_text("[endpoint mirror]\nnumbers = double\n")
    for mine, other, kind in (
            (ours("a", SUM), theirs("a", '{"sum":43}'), "downstream_body"),
            (ours("a", SUM), theirs("a", '{"sum":42.0}'), "number_form"),
            (ours("a", SUM), theirs("b", SUM), "status"),
            (ours("a"), theirs("a", SUM), "status"),
            (ours("a", body='{"items":[{}]}'), theirs("a", '{"sum":null}'),
             "missing_field"),
            (ours("a"), theirs("b", SUM), "equal"),
            (ours("a", status=405, outcome="method_not_allowed"),
             theirs("a", SUM), "status"),
            (ours("a", status=405, outcome="method_not_allowed"),
             theirs("b", SUM), "equal"),
            (ours("a", status=413, outcome="body_too_large"),
             theirs("a", SUM), "too_large"),
            (ours("a", status=400, outcome="malformed_json",
                  body_base64=base64.b64encode(
                      b'{"items":[],"x":"\xff"}').decode()),
             theirs("a", '{"sum":0}'), "invalid_utf8"),
            (ours("a", SUM), {"request_id": "a", "body_base64": "/w=="},
             "downstream_body")):
        _status, _page, kinds = pair([mine], [other], "-c", config)
        tap.equal(kinds, {kind: 1}, f"{mine} and {other}")
    _status, _page, kinds = pair(
        [ours("a", body='{"items":[{}]}')], [theirs("a", '{"sum":null}')])
    tap.equal(kinds, {"status": 1}, "without the settings")


@tap.test
def what_cannot_be_judged_is_left_out():
    status, page, kinds = pair(
        [ours("a", SUM), "{broken", '{"no":"request_id"}', ours("b", SUM),
         ours("c", SUM, endpoint="other"), '{"request_id":7}',
         ours("d", status=503, outcome="queue_timeout")],
        [theirs("a", SUM), theirs("b", SUM), theirs("b", SUM), "[]",
         theirs("z", SUM), '{"request_id":"y"}',
         '{"request_id":"y","body_base64":"/w="}'], "--endpoint", "mirror")
    tap.equal((status, kinds), (0, {"equal": 1}), "verdicts")
    tap.equal((page["broken"], page["repeated"], page["unclaimed"],
               page["failed"]), (6, 1, 1, 1), "lines left out")
    # A line that is still being written is none yet.
    path = kit.fresh_path("cut.ndjson")
    path.write_text(json.dumps(ours("a", SUM)) + '\n{"request_id":"b","resu')
    status, text, _errors = run_tallyctl("shadow", "report", "--results", path,
                                         "--capture", path)
    tap.equal(status, 1, "posts that have no body")
    tap.contains(text, "left out", "the report")


@tap.test
def a_result_whose_post_may_still_come_is_waited_with():
    def at(second, line):
        return {**line, "time": f"2026-11-24T10:00:{second:02}Z"}

    _status, page, kinds = pair(
        [at(5, ours("a", SUM)), at(19, ours("b", SUM)), at(21, ours("c", SUM)),
         at(30, ours("d", SUM))],
        [at(30, theirs("z", SUM)), at(5, theirs("a", SUM))])
    tap.equal(kinds, {"equal": 1, "status": 1}, "verdicts: b has none")
    tap.equal(page["pending"], 2, "c and d may still have one")


@tap.test
def wrong_use_is_told():
    for arguments, part in (((), "the command is shadow report"),
                            (("report", "--results", "/x"), "give both"),
                            (("report", "--max-mismatch", "x"), "a share"),
                            (("report", "--results", "/none", "--capture",
                              "/none"), "/none: No such file")):
        status, _out, errors = run_tallyctl("shadow", *arguments)
        tap.equal(status, 64, f"the status of {arguments}")
        tap.contains(errors, part, f"what is said of {arguments}")


sys.exit(kit.run())
