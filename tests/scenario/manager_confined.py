#!/usr/bin/env python3
"""What the units forbid is refused by a real systemd and its kernel, and all
that the pool does goes on behind that."""

import errno
import http.client
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
import web
from downstream import Answer, Downstream, refusing_url
from system import Unit, boot

# What any user may do, and whether this one may: 0, or the errno.
PROBE = r"""
import ctypes, json, mmap, os, socket, sys

libc = ctypes.CDLL(None, use_errno=True)

def call(function, *arguments):
    if getattr(libc, function)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), function)

def write(place):
    path = f"{place}/probe.{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)

def schedule(policy):
    os.sched_setscheduler(0, policy, os.sched_param(0))

def chmod(mode):
    path = f"{sys.argv[1]}/mode.{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        os.chmod(path, mode)
    finally:
        os.unlink(path)

def in_child(function, *arguments):
    pid = os.fork()
    if pid == 0:
        code = 0
        try:
            function(*arguments)
        except OSError as error:
            code = error.errno
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0:
        raise OSError(code, "in the child")

NEWUSER = 0x10000000  # linux/sched.h
NETLINK_SOCK_DIAG = 4  # linux/netlink.h
AF_VSOCK = 40
UNAME26 = 0x0020000  # linux/personality.h
probes = {
    "write /var/open": lambda: write("/var/open"),
    "write /run/open": lambda: write("/run/open"),
    "write /usr/open": lambda: write("/usr/open"),
    "write /tmp/open": lambda: write("/tmp/open"),
    "read /run/user/open": lambda: os.listdir("/run/user/open"),
    "read /proc/meminfo": lambda: os.stat("/proc/meminfo"),
    "read /proc/1": lambda: os.stat("/proc/1/status"),
    "socket AF_VSOCK": lambda: socket.socket(AF_VSOCK, socket.SOCK_STREAM).close(),
    "mmap": lambda: mmap.mmap(-1, 4096, mmap.MAP_PRIVATE,
                              mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
    "chmod u+s": lambda: chmod(0o4700),
    "nice": lambda: in_child(os.nice, 1),
    "affinity": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "personality": lambda: in_child(call, "personality", UNAME26),
    "unshare": lambda: in_child(call, "unshare", NEWUSER),
    "ptrace": lambda: in_child(call, "ptrace", 0, 0, 0, 0),
    "chown": lambda: os.chown(sys.argv[1], -1, -1),
    "write /tmp": lambda: write("/tmp"),
    "write /var/log/tallyd": lambda: write("/var/log/tallyd"),
    "write /var/lib/tallyd": lambda: write("/var/lib/tallyd"),
    "socket AF_UNIX": lambda: socket.socket(socket.AF_UNIX).close(),
    "socket AF_NETLINK": lambda: socket.socket(
        socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG).close(),
    "schedule batch": lambda: in_child(schedule, os.SCHED_BATCH),
    "schedule idle": lambda: in_child(schedule, os.SCHED_IDLE),
}

def ask(probe):
    try:
        probe()
        return 0
    except OSError as error:
        return error.errno

print(json.dumps({name: ask(probe) for name, probe in probes.items()}))
"""
ALLOWED = {"write /tmp", "write /var/log/tallyd", "write /var/lib/tallyd",
           "socket AF_UNIX", "socket AF_NETLINK", "schedule batch",
           "schedule idle"}
# What a kernel may not have, or refuse to any user.
OPTIONAL = {"socket AF_VSOCK", "unshare", "ptrace", "personality"}


def prepare():
    """The service, not started; its user, and directories; places that anybody
    may write to."""
    system = boot()
    system.run("systemd-sysusers")
    system.run("systemd-tmpfiles", "--create")
    for name in ("/var/open", "/run/open", "/usr/open", "/tmp/open",
                 "/run/user/open"):
        system.path(name).mkdir(parents=True, exist_ok=True)
        system.path(name).chmod(0o777)
    system.write("/usr/local/lib/probe.py", PROBE)
    return Unit(system)


def refuses(name):
    """The same process, in the service and out of it."""
    unit = prepare()
    unit = Unit(unit.system, name)
    probe = ("/usr/bin/python3", "/usr/local/lib/probe.py", "/var/lib/tallyd")
    unit.start(drop_in=f"[Service]\nExecStartPost={' '.join(probe)}\n"
                       "StandardOutput=truncate:/run/open/probed\n")
    free = json.loads(unit.system.run(*probe, user="tallyd"))
    shut = json.loads(unit.system.path("/run/open/probed").read_text())
    refused = {name for name, error in free.items() if error != 0}
    tap.check(refused <= OPTIONAL, f"not even outside: {refused - OPTIONAL}")
    tap.equal({name for name, error in shut.items() if error == 0}, ALLOWED,
              "what the service may do")
    unit.serves()


@tap.test
def what_is_forbidden_is_refused():
    """what any user may do, and tallyd.service may not"""
    refuses("tallyd")


@tap.test
def what_is_forbidden_is_refused_by_the_template():
    """what any user may do, and tallyd@orders.service may not"""
    refuses("tallyd@orders")


@tap.test
def nothing_to_gain():
    """supervisor and workers: a user of their own, no capability, no way to
    any, all of them under the filter"""
    unit = prepare()
    pid = unit.start()
    uid = unit.system.run("id", "-u", "tallyd").strip()
    for process in (pid, *unit.workers()):
        status = unit.system.status_of(process)
        tap.equal(status["Uid"].split(), [uid] * 4, "Uid")
        for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            tap.equal(int(status[key], 16), 0, key)
        tap.equal((status["NoNewPrivs"], status["Seccomp"], status["Umask"]),
                  ("1", "2", "0027"), "NoNewPrivs, Seccomp and Umask")


# --- All that the pool does. ---

def complaints(unit):
    """Lines of the journal that say that something was refused."""
    refused = [os.strerror(code) for code in (errno.EPERM, errno.EACCES,
                                              errno.EROFS)]
    return [line["MESSAGE"] for line in unit.journal()
            if any(text in line["MESSAGE"] for text in refused)]


def is_scheduled(unit, pids, policy):
    kit.until(f"policy {policy}", lambda: all(
        unit.system.policy_of(pid) == policy for pid in pids), limit=60)


@tap.test
def everything_goes_on():
    """requests and posts, status pages with the listening queue, self-tests,
    logs, a crash, a reload, an upgrade"""
    unit = prepare()
    port = kit.free_port()
    with Downstream() as down:
        pid = unit.start(
            {"sum": {"path": "/sum", "verify": 1},
             "post": {"path": "/post", "downstream": down.url},
             "refused": {"path": "/refused", "downstream": refusing_url()}},
            process_model="dynamic", min_workers=2, workers=4,
            idle_timeout="1h", max_rss="1g", selftest_interval="50ms",
            status_listen=f"{kit.HOST}:{port}", pid_file="/run/tallyd/main/pid",
            access_log="/var/log/tallyd/access.log")
        for _ in ("start", "reload", "upgrade"):
            for path in ("/sum", "/post"):
                tap.equal(unit.post(path=path).status, 200, path)
            tap.equal(unit.post(b"[", path="/sum").status, 400, "malformed")
            tap.equal(unit.post(path="/refused").status, 502, "no downstream")
            for page in ("/status?html", "/metrics", "/readyz", "/selftest"):
                tap.equal(web.ask((kit.HOST, port), page,
                                  kit.wait_limit(60)).status, 200, page)
            tap.contains(web.ask((kit.HOST, port), "/status",
                                 kit.wait_limit(60)).text,
                         "waiting in the kernel 0 of", "the listen queue")
            before = unit.status()["counters"]["selftests"]
            kit.until("self-tests go on", lambda before=before:
                      unit.status()["counters"]["selftests"] > before + 4,
                      limit=60)
            killed = unit.workers()[0]
            unit.system.kill(killed, "KILL")
            kit.until("another worker comes", lambda killed=killed:
                      killed not in unit.workers()
                      and len(unit.workers()) >= 2, limit=60)
            unit.tallyctl("reload")
            unit.tallyctl("upgrade")
    status = unit.status()
    tap.equal((status["counters"]["selftest_failures"],
               status["supervisor"]["exits_signal"], unit.main_pid()),
              (0, 3, pid), "failed self-tests, workers killed, MainPID")
    log = unit.system.path("/var/log/tallyd/access.log")
    kit.until("the access log has 6 lines of success", lambda:
              log.read_text().count("outcome=ok") == 6, limit=60)
    tap.equal(complaints(unit), [], "what was refused")


@tap.test
def the_journal_has_fields():
    """each line is in the journal once, with the fields of tallyd(8)"""
    unit = prepare()
    unit.start()
    tap.equal(unit.post(b'{"items":[{"value":"x"}]}',
                        HTTP_X_REQUEST_ID="in-the-journal").status, 422,
              "the status")
    line, = kit.until("it is there", lambda: unit.journal(
        REQUEST_ID="in-the-journal"), limit=60)
    tap.equal([line[key] for key in (
        "OUTCOME", "STATUS", "ENDPOINT", "TALLYD_POOL", "SYSLOG_IDENTIFIER",
        "_SYSTEMD_UNIT", "PRIORITY")],
        ["wrong_shape", "422", "main", "main", "tallyd", "tallyd.service",
         "6"], "the fields")
    tap.contains(line["DETAIL"], "/items/0/value", "DETAIL")


@tap.test
def nobody_pushes_in():
    """workers are SCHED_BATCH, as `scheduler` says, and shadows SCHED_IDLE"""
    unit = prepare()
    with Downstream(Answer(body=b'{"sum":42}')) as old:
        pid = unit.start(shadow={
            "url": old.url.removesuffix("/process"), "share": 1,
            "timeout": "5m",
            "sample_file": "/var/lib/tallyd/samples.ndjson"})
        is_scheduled(unit, unit.workers(), os.SCHED_BATCH)
        for _ in range(5):
            unit.serves()
        kit.until("it is compared", lambda:
                  unit.status()["shadow"]["kinds"]["equal"] == 5, limit=60)
        others = set(unit.system.children_of(pid)) - set(unit.workers())
        tap.equal(len(others), 2, "shadows")
        is_scheduled(unit, others, os.SCHED_IDLE)
        tap.equal(unit.system.policy_of(pid), os.SCHED_OTHER, "the supervisor")
    tap.equal(complaints(unit), [], "what was refused")
    unit.start(scheduler="other")
    is_scheduled(unit, unit.workers(), os.SCHED_OTHER)


@tap.test
def a_capture_comes_back():
    """the service that stores a handler's posts passes them on, opens its file
    again, is there again after its death, and ends well"""
    system = prepare().system
    service, port = "tallyd-capture@test.service", kit.free_port("127.0.0.1")
    settings = pathlib.PurePath(Unit(system).config).parent
    posts = system.path("/var/lib/tallyd/posts-test.ndjson")
    def post():
        link = http.client.HTTPConnection("127.0.0.1", port,
                                          timeout=kit.wait_limit())
        try:
            link.request("POST", "/process", b'{"sum":1}')
            return link.getresponse().status
        except OSError:
            return 0
        finally:
            link.close()
    with Downstream() as down:
        system.write(f"{settings}/capture-test.env",
                     f"LISTEN=127.0.0.1:{port}\nFORWARD={down.url}\n"
                     "OPTIONS=--timeout 5s --max-out 1m\n")
        system.systemctl("start", service)
        tap.equal(post(), 200, "the status of the first post")
        posts.rename(posts.with_suffix(".1"))
        system.systemctl("reload", service)
        kit.until("its file is there again",
                  lambda: post() == 200 and posts.exists(), 60)
        system.kill(system.show(service)["MainPID"], "KILL")
        have = system.wait_for(service, ActiveState="active", NRestarts="1")
        kit.until("it serves again", lambda: post() == 200, 60)
        tap.equal(have["User"], "tallyd", "its user")
        system.systemctl("stop", service)
        tap.equal(system.show(service)["Result"], "success", "its end")


@tap.test
def rotated_logs():
    """logrotate, as installed, has every process open the log again, and those
    of the group adm may read it"""
    unit = prepare()
    logrotate = kit.need_server("logrotate")
    rules = next(unit.system.installed.rglob("logrotate.d/tallyd"))
    unit.start(log_file="/var/log/tallyd/tallyd.log")
    for turn in range(1, 4):
        unit.serves()
        unit.system.run(logrotate, "--force", "--state", "/run/logrotate",
                        f"/{rules.relative_to(unit.system.installed)}")
        kit.until("a new log is written", lambda turn=turn: unit.post(
            HTTP_X_REQUEST_ID=f"turn-{turn}").status == 200 and
            f"turn-{turn}" in unit.system.path(
                "/var/log/tallyd/tallyd.log").read_text(), limit=60)
        tap.equal(unit.system.run("stat", "-c", "%a %G",
                                  "/var/log/tallyd/tallyd.log").strip(),
                  "640 adm", "the log")


sys.exit(kit.run())
