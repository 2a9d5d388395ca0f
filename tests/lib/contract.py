"""What every web server with a pool behind it has to do, seen by a client and
by the downstream. The same tests for each of them."""

import gzip
import json
import re
import threading
import zlib

import kit
import tap
from downstream import Answer, Downstream, refusing_url
from pool import SAMPLE

OK = {"ok": True}


def answer_by_target(request, _link):
    """The downstream's behaviour is in the path of its URL."""
    path = request.target
    if path == "/refuses":
        return Answer(500, b"no")
    if path == "/moves":
        return Answer(307, b"", {"Location": "/process"})
    if path == "/stalls":
        threading.Event().wait(kit.wait_limit(20))
        return None
    return Answer()


class Contract:
    """`front_class` with a pool that has an endpoint for each case."""

    def __init__(self, front_class):
        self.front_class = front_class
        self.down = Downstream(answer_by_target)
        self._front = None

    @property
    def front(self):
        return self._front or tap.check(False, "the server did not start")

    def endpoints(self):
        base = self.down.url.removesuffix("/process")
        return {
            "process": {"path": "/process", "downstream": base + "/process"},
            "sum": {"path": "/sum"},
            "double": {"path": "/double", "numbers": "double"},
            "below": {"path": "/below/"},
            "lines": {"path": "/lines", "format": "ndjson",
                      "result.n": "count()", "result.ms": "sum(@.ms)"},
            "plain": {"path": "/plain", "encodings": "identity"},
            "small": {"path": "/small", "max_body": "64k"},
            "refused": {"path": "/refused", "downstream": refusing_url()},
            "status": {"path": "/status", "downstream": base + "/refuses"},
            "redirect": {"path": "/redirect", "downstream": base + "/moves"},
            "stalls": {"path": "/stalls", "downstream": base + "/stalls",
                       "timeout": "1s"},
        }

    def add_tests(self):
        for name in dir(self):
            if name.startswith("test_"):
                method = getattr(self, name)
                tap.add(tap.title_of(method), method)

    # --- Checking. ---

    def expect(self, reply, status, body):
        tap.equal((reply.status, reply.body and reply.json()), (status, body),
                  "the reply")
        tap.contains(reply.headers.get("content-type", ""),
                     "application/json", "the Content-Type")
        tap.equal(reply.headers.get("content-length"), str(len(reply.body)),
                  "the Content-Length")
        tap.check(reply.headers.get("x-request-id"), "there is no X-Request-ID")

    def expect_problem(self, reply, status, outcome, **members):
        problem = reply.json()
        tap.equal((reply.status, problem.get("outcome")), (status, outcome),
                  f"the reply ({problem})")
        tap.contains(reply.headers.get("content-type", ""),
                     "application/problem+json", "the Content-Type")
        tap.equal(problem["status"], status, "the member status")
        tap.equal(problem["instance"],
                  "urn:request:" + reply.headers.get("x-request-id", "?"),
                  "the member instance")
        for name, value in members.items():
            tap.equal(problem.get(name), value, f"the member {name}")
        wanted = f"outcome={outcome} status={status} request=" + \
            reply.headers["x-request-id"]
        kit.until(f"the log has {wanted}",
                  lambda: wanted in self.front.tallyd_log())

    def expect_result(self, body, result):
        """Post `body`; the client gets ok and the downstream the result."""
        self.down.take()
        self.expect(self.front.post("/process", body), 200, OK)
        tap.equal([request.body for request in self.down.take()],
                  [b'{"sum":%d}' % result], "what the downstream got")

    def need_large_chunked_bodies(self):
        if self.front.chunked_limit:
            raise tap.Skip(self.front.chunked_limit)

    # --- Results. ---

    def test_01_the_server_starts_with_its_file(self):
        """the server starts with its file of conf/"""
        self._front = self.front_class(self.endpoints(), workers=4,
                                       max_param_count=64,
                                       max_params="6k").share()

    def test_02_sample(self):
        """the sample is added up, posted and answered"""
        self.expect_result(SAMPLE, 42)
        self.front.post("/process", SAMPLE)
        request, = self.down.take()
        tap.equal((request.method, request.target), ("POST", "/process"),
                  "what the downstream got")
        tap.equal(request.headers["content-type"], "application/json",
                  "the Content-Type")

    def test_03_empty_items(self):
        """an empty list is zero"""
        self.expect_result(b'{"items":[]}', 0)

    def test_04_twenty_items(self):
        """20 items"""
        items = [{"value": n * n - 50, "name": f"item {n}"}
                 for n in range(20)]
        self.expect_result(json.dumps({"items": items}).encode(),
                           sum(item["value"] * 2 for item in items))

    def test_05_large_body(self):
        """a body of 1 MB"""
        items = [{"value": n, "note": "x" * 40} for n in range(20000)]
        body = json.dumps({"items": items}).encode()
        tap.check(len(body) > 1 << 20, "the body is too small")
        self.expect_result(body, 20000 * 19999)

    def test_06_unknown_members(self):
        """unknown members are skipped at every level"""
        self.expect_result(
            b'{"a":{"items":[{"value":9}]},"items":[{"b":[1,{"value":7}],'
            b'"value":4,"c":null},{"value":-1,"d":1.5e3}],"e":"items"}', 6)

    def test_07_utf8(self):
        """UTF-8 passes in keys and values"""
        self.expect_result(
            '{"ключ":"значение","items":[{"naïve":"日本語 😀","value":21}]}'
            .encode(), 42)

    def test_08_chunked_body(self):
        """a chunked request body"""
        self.down.take()
        chunks = [SAMPLE[at:at + 7] for at in range(0, len(SAMPLE), 7)]
        reply = self.front.request("POST", "/process", iter(chunks),
                                   chunked=True)
        self.expect(reply, 200, OK)
        tap.equal(self.down.bodies(), [{"sum": 42}], "what the downstream got")

    def test_09_large_chunked_body(self):
        """a chunked request body of 300 KB"""
        self.need_large_chunked_bodies()
        self.down.take()
        item = b'{"value":1,"pad":"' + b"p" * 280 + b'"},'
        chunks = [b'{"items":['] + [item] * 999 + [item[:-1] + b"]}"]
        reply = self.front.request("POST", "/process", iter(chunks),
                                   chunked=True)
        self.expect(reply, 200, OK)
        tap.equal(self.down.bodies(), [{"sum": 2000}],
                  "what the downstream got")

    def test_10_two_endpoints(self):
        """two endpoints: one posts, one answers with the sum"""
        self.expect_result(SAMPLE, 42)
        self.expect(self.front.post("/sum", SAMPLE), 200, {"sum": 42})
        tap.equal(self.down.take(), [], "what the downstream got")

    def test_11_doubles(self):
        """numbers = double adds as JavaScript does"""
        reply = self.front.post(
            "/double", b'{"items":[{"value":0.1},{"value":0.2}]}')
        tap.equal((reply.status, reply.body),
                  (200, b'{"sum":0.6000000000000001}'), "the reply")

    def test_12_paths(self):
        """the path alone chooses the endpoint"""
        for path in ("/sum?x=1", "/sum?", "/s%75m", "/below/", "/below/a/b",
                     "/below/a%20b"):
            reply = self.front.post(path, SAMPLE)
            tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), path)
        for path in ("/", "/nothing", "/sum/", "/summ", "/sum/more", "/below"):
            self.expect_problem(self.front.post(path, SAMPLE), 404,
                                "not_found")

    # --- Identity. ---

    def test_13_request_id(self):
        """X-Request-ID and traceparent go through to the downstream and back"""
        self.down.take()
        trace = "0af7651916cd43dd8448eb211c80319c"
        reply = self.front.post("/process", SAMPLE, {
            "X-Request-ID": "order-17.a", "tracestate": "vendor=1",
            "traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        request, = self.down.take()
        for where, headers in (("reply", reply.headers),
                               ("downstream", request.headers)):
            tap.equal(headers.get("x-request-id"), "order-17.a",
                      f"X-Request-ID of the {where}")
            tap.check(re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01",
                                   headers.get("traceparent", "")),
                      f"traceparent of the {where}: {headers}")
        kit.until("the log has the request",
                  lambda: f"request=order-17.a trace={trace}"
                  in self.front.tallyd_log())

    def test_14_made_request_id(self):
        """a request id is made where there is none, or a bad one"""
        self.down.take()
        seen = set()
        for headers in {}, {"X-Request-ID": 'a"b c'}, \
                {"X-Request-ID": "x" * 300}, {"traceparent": "00-0-0-00"}:
            reply = self.front.post("/process", SAMPLE, headers)
            request, = self.down.take()
            made = reply.headers["x-request-id"]
            tap.equal(request.headers["x-request-id"], made, "X-Request-ID")
            tap.check(re.fullmatch(r"[0-9a-f]{32}", made), f"{made} is no id")
            tap.check(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
                                   request.headers["traceparent"]),
                      request.headers["traceparent"])
            seen.add(made)
        tap.equal(len(seen), 4, "different ids")

    def test_15_idempotency_key(self):
        """an Idempotency-Key is passed on"""
        self.down.take()
        self.front.post("/process", SAMPLE, {"Idempotency-Key": "k-1"})
        self.front.post("/process", SAMPLE)
        tap.equal([request.headers.get("idempotency-key")
                   for request in self.down.take()], ["k-1", None],
                  "the keys")

    def test_16_idempotency_keys_that_differ(self):
        """400 for two Idempotency-Keys that differ"""
        self.down.take()
        for keys in ["k-1", "k-2"], ["k-1", "k-2", "k-1"]:
            reply = self.front.post("/process", SAMPLE,
                                    {"Idempotency-Key": keys})
            self.expect_problem(reply, 400, "bad_request")
        tap.equal(self.down.take(), [], "what the downstream got")

    # --- Errors: each row of the table that a client can provoke. ---

    def test_20_malformed(self):
        """400 with the byte offset for what is not JSON"""
        for body, offset in ((b'{"items":[{"value":1}', None), (b"", None),
                             (b'{"items":[}', 10), (b"hello", 0),
                             (b'{"items":[]} x', 13)):
            reply = self.front.post("/process", body)
            self.expect_problem(reply, 400, "malformed_json")
            if offset is not None:
                tap.equal(reply.json()["offset"], offset,
                          f"the offset in {body}")

    def test_21_method(self):
        """405 with Allow for GET, HEAD and PUT"""
        reply = self.front.request("GET", "/process")
        self.expect_problem(reply, 405, "method_not_allowed")
        tap.equal(reply.headers.get("allow"), "POST", "Allow")
        reply = self.front.request("HEAD", "/process")
        tap.equal((reply.status, reply.headers.get("allow"), reply.body),
                  (405, "POST", b""), "the reply to HEAD")
        self.expect_problem(self.front.request("PUT", "/process", SAMPLE),
                            405, "method_not_allowed")

    def test_22_too_large(self):
        """413 for a body over max_body, and not for one of just that size"""
        body = b'{"items":[]' + b" " * (65536 - 12) + b"}"
        self.expect(self.front.post("/small", body), 200, {"sum": 0})
        self.expect_problem(self.front.post("/small", body + b" "), 413,
                            "body_too_large")

    def test_22_too_large_and_chunked(self):
        """413 for a chunked body over max_body"""
        self.need_large_chunked_bodies()
        reply = self.front.request("POST", "/small", iter([SAMPLE * 400] * 4),
                                   chunked=True)
        self.expect_problem(reply, 413, "body_too_large")

    def test_22_compressed(self):
        """gzip and deflate, and what is wrong with them"""
        packed = gzip.compress(SAMPLE)
        for body, encoding in ((packed, "gzip"),
                               (zlib.compress(SAMPLE), "deflate")):
            reply = self.front.post("/sum", body,
                                    {"Content-Encoding": encoding})
            self.expect(reply, 200, {"sum": 42})
            reply = self.front.post("/sum", body[:-3],
                                    {"Content-Encoding": encoding})
            self.expect_problem(reply, 400, "bad_request")
            reply = self.front.post("/plain", body,
                                    {"Content-Encoding": encoding})
            self.expect_problem(reply, 415, "unsupported_encoding")
        reply = self.front.post("/sum", packed + b"x",
                                {"Content-Encoding": "gzip"})
        self.expect_problem(reply, 400, "bad_request")
        bomb = gzip.compress(b'{"items":[],"x":"' + b"y" * 1000000 + b'"}')
        reply = self.front.post("/sum", bomb, {"Content-Encoding": "gzip"})
        self.expect_problem(reply, 413, "body_too_large")
        reply = self.front.post("/small", gzip.compress(SAMPLE * 5000, 0),
                                {"Content-Encoding": "gzip"})
        self.expect_problem(reply, 413, "body_too_large")

    def test_22_too_many_headers(self):
        """431 for too many headers, or too long ones; the next is served"""
        for headers in ({f"X-{number}": "x" for number in range(80)},
                        {"X-1": "x" * 3200, "X-2": "x" * 3200}):
            self.expect_problem(self.front.post("/sum", SAMPLE, headers), 431,
                                "head_too_large")
            self.expect(self.front.post("/sum", SAMPLE), 200, {"sum": 42})

    def test_23_lines(self):
        """a line is an item, and a bad one is told by its number"""
        body = b'{"ms":12}\n\n{"ms":30}\r\n{"ms":0}'
        self.expect(self.front.post("/lines", body), 200, {"n": 3, "ms": 42})
        self.expect(self.front.post("/lines", gzip.compress(body),
                                    {"Content-Encoding": "gzip"}),
                    200, {"n": 3, "ms": 42})
        self.expect_problem(self.front.post("/lines", body + b"\n{"), 400,
                            "malformed_json", line=5)

    def test_23_other_encoding(self):
        """415 for another encoding, and not for identity"""
        reply = self.front.post("/process", b"\x1f\x8b\x08junk",
                                {"Content-Encoding": "br"})
        self.expect_problem(reply, 415, "unsupported_encoding")
        reply = self.front.post("/sum", SAMPLE,
                                {"Content-Encoding": "identity"})
        self.expect(reply, 200, {"sum": 42})

    def test_24_wrong_shape(self):
        """422 with a JSON pointer for what has another shape"""
        for body, pointer in (
                (b"{}", ""), (b"[]", ""), (b'{"items":{}}', "/items"),
                (b'{"items":[1]}', "/items/0"),
                (b'{"items":[{"value":1},{"valeu":1}]}', "/items/1"),
                (b'{"items":[{"value":"1"}]}', "/items/0/value"),
                (b'{"items":[{"value":1.5}]}', "/items/0/value")):
            reply = self.front.post("/process", body)
            self.expect_problem(reply, 422, "wrong_shape")
            tap.check(reply.json()["pointer"].startswith(pointer),
                      f"the pointer for {body}: {reply.json()}")

    def test_25_range(self):
        """422 for a sum out of range"""
        self.expect_problem(self.front.post(
            "/process", b'{"items":[{"value":9223372036854775807}]}'), 422,
            "out_of_range")

    def test_26_downstream_refused(self):
        """502 for a downstream that is not there"""
        self.expect_problem(self.front.post("/refused", SAMPLE), 502,
                            "downstream_connect")

    def test_27_downstream_status(self):
        """502 for an answer outside 2xx, a redirect included"""
        self.down.take()
        self.expect_problem(self.front.post("/status", SAMPLE), 502,
                            "downstream_status")
        self.expect_problem(self.front.post("/redirect", SAMPLE), 502,
                            "downstream_redirect")
        tap.equal([request.target for request in self.down.take()],
                  ["/refuses", "/moves"], "what the downstream got")

    def test_28_downstream_deadline(self):
        """504 for a downstream that does not answer in time"""
        self.down.take()
        self.expect_problem(self.front.post("/stalls", SAMPLE), 504,
                            "downstream_timeout")
        self.down.wait_for(1)
        tap.equal(len(self.down.take()), 1, "posts")

    # --- All of it at once. ---

    def test_30_many_at_once(self):
        """60 requests of 12 clients at once: each answered, each posted once"""
        self.down.take()
        faults = []

        def client(number):
            for turn in range(5):
                value = number * 5 + turn
                try:
                    reply = self.front.post(
                        "/process", b'{"items":[{"value":%d}]}' % value)
                    self.expect(reply, 200, OK)
                except Exception as error:
                    faults.append(f"{value}: {error!r}")
        threads = [threading.Thread(target=client, args=(number,))
                   for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tap.equal(faults, [], "faults")
        tap.equal(sorted(body["sum"] for body in self.down.bodies()),
                  [2 * value for value in range(60)], "what was posted")

    def test_31_connections(self):
        """connections to the pool are kept, or not, as the file says"""
        pool = self.front.pool
        if pool is None:
            raise tap.Skip("the web server has the pool to itself")
        before = pool.count("connections")
        for _turn in range(10):
            self.front.post("/sum", SAMPLE)
        made = pool.count("connections") - before
        tap.check(made <= 1 if self.front.keeps else made == 10,
                  f"{made} connections for 10 requests")

    def test_32_stop(self):
        """the server stops, and leaves nothing behind"""
        self.front.stop()


def run(front_class):
    """Run the contract through this server; the status to exit with."""
    reason = front_class.missing()
    if reason:
        return tap.skip_all(reason)
    Contract(front_class).add_tests()
    return kit.run()
