#!/usr/bin/env python3
"""The settings: -t, -T, -s, what is said of each mistake, and the sample."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import SAMPLE, Pool, run_tallyd

# (file, what is said after "tallyd: FILE:"); each must name the line and the
# key, and say what would be right.
MISTAKES = [
    # Keys and sections.
    ("[pool]\nworker = 1\n",
     ":2: [pool] worker: no such key; did you mean workers?"),
    ("[pool]\n\n; comment\nbaklog = 1\n",
     ":4: [pool] baklog: no such key; did you mean backlog?"),
    ("[endpoint a]\nnumber = int64\n",
     ":2: [endpoint a] number: no such key; did you mean numbers?"),
    ("[pool]\npath = /\n",
     ":2: [pool] path: no such key here; it is one of [endpoint NAME]"),
    ("[endpoint a]\nworkers = 1\n",
     ":2: [endpoint a] workers: no such key here; it is one of [pool]"),
    ("[pool]\nsample_file = /x\n",
     ":2: [pool] sample_file: no such key here; it is one of [shadow]"),
    ("[Pool]\n", ":1: [Pool] is not a section; there are [pool], [endpoint "
     "NAME] and [shadow]; did you mean [pool]?"),
    ("[ENDPOINT a]\n", "did you mean [endpoint NAME]?"),
    ("[endpoints a]\n", "did you mean [endpoint NAME]?"),
    ("[pool] workers = 1\n", ":1: text behind the ] of a section header"),
    ("[pool]\nname = main # the pool\n",
     ":2: a comment behind a value begins with ; and not with #"),
    ("[pool]\nlisten = /tmp/a ;b\n",
     ":2: [pool] listen: a ; behind white space begins a comment; write it"),
    (b"[endpoint a]\npath = /caf\xe9\n", ":2: [endpoint a] path = /caf"),
    (b"[endpoint a]\nfield = caf\xe9\n", ": is not UTF-8; save the file"),
    (b"[endpoint a]\nresult.caf\xe9 = count()\n", ": is not UTF-8; save"),
    ("[pool]\nnothing_like_it = 1\n",
     ":2: [pool] nothing_like_it: no such key"),
    ("workers = 1\n", ":1: workers stands before the first [section]"),
    ("[pol]\n", ":1: [pol] is not a section; there are [pool],"),
    ("[endpoint]\n", ":1: [endpoint] is not a section"),
    ("[endpoint a/b]\n", ":1: [endpoint a/b]: the name must have 1 to 32"),
    ("[pool]\n[pool]\n", ":2: [pool] is there twice"),
    ("[endpoint a]\n[endpoint a]\n", ":2: [endpoint a] is there twice"),
    ("[pool]\nworkers = 1\nworkers = 2\n",
     ":3: [pool] workers = 2: the key is there twice"),
    ("[pool\n", ":1: a section header without its ]"),
    ("[pool]\nworkers\n", ":2: neither a [section] nor key = value"),
    ("[pool]\n  workers = 2\n", ":2: the line starts with white space"),
    # Numbers, sizes, times, modes.
    ("[pool]\nworkers = many\n",
     ":2: [pool] workers = many: must be auto, or a whole number, 0..1024"),
    ("[pool]\nworkers = -1\n", ":2: [pool] workers = -1: must be 0..1024"),
    ("[pool]\nworkers = 1025\n", ":2: [pool] workers = 1025: must be 0..1024"),
    ("[pool]\nworkers = 2.5\n",
     ":2: [pool] workers = 2.5: must be auto, or a whole number"),
    ("[pool]\nworkers =\n",
     ":2: [pool] workers = : must be auto, or a whole number"),
    ("[pool]\nworkers = 99999999999999999999\n", "must be auto, or a whole number"),
    ("[pool]\nbacklog = 0\n", ":2: [pool] backlog = 0: must be 1..65535"),
    ("[pool]\nsocket_mode = rw\n",
     ":2: [pool] socket_mode = rw: must be octal permissions such as 0660"),
    ("[pool]\nsocket_mode = 0888\n", ":2: [pool] socket_mode = 0888: must"),
    ("[pool]\nsocket_mode = 01777\n",
     ":2: [pool] socket_mode = 01777: must be 0..0777"),
    ("[pool]\ndrain_timeout = 5\n",
     ":2: [pool] drain_timeout = 5: must be a time such as 250ms, 5s or 2m"),
    ("[pool]\ndrain_timeout = 5 s\n", "must be a time such as"),
    ("[pool]\ndrain_timeout = 2h\n",
     ":2: [pool] drain_timeout = 2h: must be 0s..1h"),
    ("[pool]\nbody_timeout = 5ms\n", "must be 10ms..1h"),
    ("[endpoint a]\nmax_body = 16mb\n",
     ":2: [endpoint a] max_body = 16mb: must be a size such as 512, 64k"),
    ("[endpoint a]\nmax_body = 1.5g\n", "(1536m, not 1.5g; 10m, not 10mb)"),
    ("[endpoint a]\nmax_body = 0\n", "max_body = 0: must be 1.."),
    ("[endpoint a]\nmax_body = 9999999999g\n", "max_body = 9999999999g: must"),
    ("[endpoint a]\nmax_depth = 1\n", "max_depth = 1: must be 2..1024"),
    ("[endpoint a]\nmultiply = 2000000\n", "must be -1048576..1048576"),
    # Words, paths, URLs, addresses.
    ("[pool]\nlog_level = loud\n",
     ":2: [pool] log_level = loud: must be one of error|warn|info|debug"),
    ("[endpoint a]\nreply = Ok\n", "must be one of auto|ok|sum"),
    ("[endpoint a]\nresend = twice\n", "must be one of never|once"),
    ("[endpoint a]\nnumbers = int\n", "must be one of int64|double"),
    ("[endpoint a]\npath = sum\n",
     ":2: [endpoint a] path = sum: must start with /"),
    ("[endpoint a]\narray =\n", "must have 1 to 4096 bytes"),
    ("[endpoint a]\nfield = " + "x" * 65 + "\n", "must have 1 to 64 bytes"),
    ("[endpoint a]\ndownstream = localhost:80\n",
     ":2: [endpoint a] downstream = localhost:80: must be http://host"),
    ("[endpoint a]\ndownstream = ftp://x/\n", "must be http://host"),
    ("[endpoint a]\ndownstream = http:///x\n", "must be http://host"),
    ("[endpoint a]\ndownstream_ca = ca.pem\n", "must be an absolute path"),
    ("[pool]\nscoreboard = board\n", "must be an absolute path"),
    ("[pool]\nlisten = 9000\n", ":2: [pool] listen = 9000: must be /path"),
    ("[pool]\nlisten = localhost:9000\n",
     "must be /path or unix:/path (up to 107 bytes), 127.0.0.1:9000, "
     "[::1]:9000 or *:9000; names such as localhost are not looked up"),
    ("[pool]\nlisten = 127.0.0.1:70000\n", "must be /path"),
    ("[pool]\nlisten = [::1:9000\n", "must be /path"),
    ("[pool]\nlisten = /" + "x" * 107 + "\n", "(up to 107 bytes)"),
    # What only holds together.
    ("[endpoint a]\n[endpoint b]\n",
     ": [endpoint b] path = /: [endpoint a] has the same path"),
    ("[endpoint a]\nselftest_file = /x\n",
     ": [endpoint a] selftest_file and selftest_sum or selftest_result: give the file"),
    ("[endpoint a]\nselftest_sum = 42\n",
     ": [endpoint a] selftest_file and selftest_sum or selftest_result: give the file"),
    ("[endpoint a]\nselftest_file = /none/x\nselftest_sum = 42\n",
     ": [endpoint a] selftest_file = /none/x: No such file or directory"),
    ("[endpoint a]\nselftest_file = /dev/zero\nselftest_sum = 42\n",
     ": [endpoint a] selftest_file = /dev/zero: not a regular file"),
    ("[endpoint a]\nbreaker = 5\n",
     ": [endpoint a] breaker: needs downstream"),
    ("[endpoint a]\ndownstream = http://a/\nbreaker = 1001\n",
     ":3: [endpoint a] breaker = 1001: must be 0..1000"),
    ("[endpoint a]\ndownstream_http = 3\n", "must be one of 1.1|2|2-prior-"),
    ("[endpoint a]\ndownstream = http://x/\ndownstream_http = 2\n",
     ": [endpoint a] downstream_http = 2: is agreed on by TLS; for http://"),
    ("[endpoint a]\ndownstream = http://x/\ndownstream_client = direct\n"
     "downstream_http = 2-prior-knowledge\n",
     ": [endpoint a] downstream_client = direct: speaks HTTP/1.1 and knows no"),
    ("[endpoint a]\ndownstream = http://x/\ndownstream_proxy = proxy:3128\n",
     "must be a URL such as http://proxy:3128"),
    ("[endpoint a]\ndownstream = http://x/\ndownstream_socket = /x\n"
     "downstream_proxy = http://p\n", "give one of the two"),
    ("[endpoint a]\ndownstream_socket = /x\n",
     ": [endpoint a] downstream_socket: needs downstream"),
    ("[endpoint a]\ndownstream = https://x/\ndownstream_cert = /c\n",
     ": [endpoint a] downstream_cert and downstream_key: give both"),
    ("[pool]\nworkers = 0\n[shadow]\nurl = http://x\n",
     ":3: [shadow]: needs a supervisor; set [pool] workers to 1 or more"),
    ("[shadow]\nsample_file = /x\n", ":1: [shadow] sample_file: needs url"),
    ("[shadow]\nurl = http://x/?y\n", ":1: [shadow] url = http://x/?y: the"),
    ("[shadow]\nstrip = x\n", ":1: [shadow] strip = x: must start with /"),
    ("[shadow]\nshare = 2\n", ":2: [shadow] share = 2: must be 0..1"),
    ("[pool]\nuser = nobody-here\n", ":2: [pool] user = nobody-here: no such user"),
    ("[pool]\nuser = root\ngroup = no-group\n",
     ":3: [pool] group = no-group: no such group"),
]


def settings_file(text):
    path = kit.fresh_path("tallyd.conf")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def values(dump):
    """What -T prints, without where each value is from."""
    return [line for line in dump.splitlines() if not line.startswith("; ")]


@tap.test
def every_mistake_is_told():
    """each mistake is told with file, line, key and what would be right"""
    faults = []
    for text, wanted in MISTAKES:
        path = settings_file(text)
        status, out, errors = run_tallyd("-t", "-c", path)
        place, _, _rest = wanted.partition(" ")
        start = f"tallyd: {path}"
        if place.startswith(":"):
            start += place
        if (status, out) != (78, "") or wanted not in errors \
                or not errors.startswith(start) \
                or len(errors.splitlines()) != 1:
            faults.append(f"{text!r}: {status} {out}{errors.strip()!r}, "
                          f"wanted {wanted!r}")
    tap.check(not faults, "\n".join(faults))


@tap.test
def a_group_without_a_user_is_refused():
    """it would leave the pool its user, which may be root"""
    status, out, errors = run_tallyd("-t", "-s", "pool.group=root")
    tap.equal((status, out), (78, ""), "how it ended")
    tap.contains(errors, "[pool] group: needs user", "what it says")


@tap.test
def a_mistake_stops_the_start():
    """without -t the same is said, and nothing is started"""
    path = settings_file("[pool]\nworker = 1\n")
    status, _out, errors = run_tallyd("-c", path)
    tap.equal(status, 78, "the exit status")
    tap.contains(errors, f"{path}:2: [pool] worker: no such key", "the message")


@tap.test
def hostile_files_are_told():
    """a file that is missing, a directory, too wide, or binary"""
    for path, part in ((kit.DIRECTORY / "none", "No such file"),
                       (kit.DIRECTORY, str(kit.DIRECTORY)),
                       (settings_file("[pool]\n;" + "x" * 9000 + "\n"),
                        ":2: the line is longer than"),
                       (settings_file(b"[pool]\nworkers = 1\0 2\n"), ":2: "),
                       (settings_file(bytes(range(256)) * 40), ":1: ")):
        status, _out, errors = run_tallyd("-t", "-c", path)
        tap.equal(status, 78, f"the exit status for {path} ({errors})")
        tap.contains(errors, part, "the message")


@tap.test
def good_settings_pass_the_test():
    path = settings_file("\ufeff; a comment\n\n[pool] ; a comment\nworkers=3\n"
                         "backlog = 5 ;five\nname = a#b;c ; a comment\n"
                         "[endpoint a.b-c_D]\npath = /x\nmax_body = 1024G\n")
    status, out, errors = run_tallyd("-t", "-c", path)
    tap.equal((status, out), (0, ""), f"-t ({errors})")
    tap.contains(errors, "the settings are good", "the message")
    _status, out, _errors = run_tallyd("-T", "-c", path)
    for line in ("workers = 3", "backlog = 5", "name = a#b;c", "[endpoint a.b-c_D]",
                 "max_body = 1024g"):
        tap.contains(out.splitlines(), line, "-T")


@tap.test
def what_is_printed_can_be_read():
    """-T of what -T has printed is the same"""
    path = settings_file(
        "[pool]\nlisten = [::1]:9000\ndrain_timeout = 1500ms\nworkers = 0\n"
        "[endpoint one]\npath = /one\ndownstream = https://example.org/p\n"
        "timeout = 90s\n[endpoint two]\nreply = sum\nmax_body = 1000\n")
    status, first, errors = run_tallyd("-T", "-c", path)
    tap.equal(status, 0, f"the exit status ({errors})")
    tap.contains(first.splitlines(), "drain_timeout = 1500ms", "-T")
    tap.contains(first.splitlines(), "reply = ok", "-T")
    status, second, errors = run_tallyd("-T", "-c", settings_file(first))
    tap.equal((status, values(second)), (0, values(first)),
              f"-T again ({errors})")


@tap.test
def overrides_win():
    """-s section.key=value wins over the file, the last one over the others"""
    path = settings_file("[pool]\nworkers = 3\n[endpoint a]\nmax_body = 1k\n")
    status, out, errors = run_tallyd(
        "-T", "-c", path, "-s", "pool.workers=4", "-s", "pool.workers = 5",
        "-s", "endpoint a.max_body=2k", "-s", "endpoint new.path=/new")
    tap.equal(status, 0, f"the exit status ({errors})")
    for line in ("workers = 5", "max_body = 2k", "[endpoint new]",
                 "path = /new"):
        tap.contains(out.splitlines(), line, "-T")


@tap.test
def wrong_overrides_are_told():
    for text, wanted in (
            ("workers=1", "must be section.key=value"),
            ("pool.workers", "must be section.key=value"),
            ("", "must be section.key=value"),
            ("pool.worker=1", "-s [pool] worker: no such key; did you mean"),
            ("pool.workers=x", "-s [pool] workers = x: must be auto"),
            ("pol.workers=1", "-s [pol] is not a section"),
            ("pool.log_file=" + "x" * 9000, "too long")):
        status, _out, errors = run_tallyd("-t", "-s", text)
        tap.equal(status, 78, f"the exit status for {text[:40]} ({errors})")
        tap.contains(errors, wanted, "the message")


@tap.test
def wrong_usage_is_told():
    for arguments in ["-x"], ["-c"], ["file.conf"], ["-t", "now"], \
            ["-s"], ["-c", ""], ["--tes"], ["--test=x"]:
        status, out, errors = run_tallyd(*arguments)
        tap.equal((status, out), (64, ""), f"tallyd {arguments}")
        tap.contains(errors, "tallyd -h lists", f"tallyd {arguments}")
    status, out, errors = run_tallyd("-h")
    tap.equal((status, errors), (0, ""), "tallyd -h")
    tap.contains(out, "usage: tallyd", "tallyd -h")
    status, out, errors = run_tallyd("-V")
    tap.equal((status, errors), (0, ""), "tallyd -V")
    tap.check(out.startswith("tallyd "), out)


@tap.test
def a_start_that_fails_has_status_1():
    """a log, scoreboard or pid file that cannot be made: status 1, one line"""
    for key in ("log_file", "scoreboard", "pid_file"):
        path = settings_file(f"[pool]\nlisten = {kit.fresh_path('t.sock')}\n"
                             f"{key} = {kit.DIRECTORY}/no/such/file\n")
        status, _out, errors = run_tallyd("-c", path)
        tap.equal(status, 1, f"the exit status ({errors})")
        tap.contains(errors, f"{key} = {kit.DIRECTORY}/no/such/file: No such "
                     "file", "the message")
        tap.equal(len(errors.splitlines()), 1, f"lines ({errors})")


@tap.test
def the_pid_file_is_written_and_removed():
    path = kit.fresh_path("tallyd.pid")
    with Pool(pid_file=path) as pool:
        pool.wait_for_workers()
        tap.equal(path.read_text(), f"{pool.pid}\n", "the pid file")
    tap.check(not path.exists(), "the pid file is still there")
    tap.check(not pool.scoreboard.exists(), "the scoreboard is still there")


@tap.test
def the_environment_does_not_matter():
    """a hostile environment changes nothing"""
    huge = {f"X{n}": "y" * 1000 for n in range(50)}
    with Pool(env={**huge, "LC_ALL": "tr_TR.UTF-8", "FCGI_WEB_SERVER_ADDRS":
                   "9.9.9.9", "http_proxy": "http://192.0.2.1:1", "TZ": "x",
                   "LISTEN_FDS": "3", "LISTEN_PID": "-1", "MALLOC_PERTURB_":
                   "165", "HOME": "/nowhere"}) as pool:
        tap.equal(pool.post(SAMPLE).body, b'{"sum":42}', "the reply")


@tap.test
def the_sample_is_in_step():
    """conf/tallyd.conf is what conf/make-sample prints"""
    done = subprocess.run([sys.executable, kit.CONF / "make-sample"],
                          capture_output=True, text=True, check=True,
                          timeout=kit.wait_limit(20))
    sample = kit.CONF / "tallyd.conf"
    tap.check(done.stdout == sample.read_text(),
              "they differ; run: conf/make-sample > conf/tallyd.conf")
    status, _out, errors = run_tallyd("-t", "-c", sample)
    tap.equal(status, 0, f"tallyd -t -c conf/tallyd.conf ({errors})")


@tap.test
def the_sample_shows_the_defaults():
    """the sample with every comment taken away changes no value"""
    text = (kit.CONF / "tallyd.conf").read_text()
    plain = "".join(line.removeprefix(";") + "\n" for line in text.splitlines()
                    if not line.startswith("; "))
    status, all_set, errors = run_tallyd("-T", "-c", settings_file(plain))
    tap.equal(status, 0, f"-T ({errors})")
    _status, defaults, _errors = run_tallyd("-T", "-s", "endpoint main.path=/")
    tap.equal(values(all_set), values(defaults), "what -T prints")


sys.exit(kit.run())
