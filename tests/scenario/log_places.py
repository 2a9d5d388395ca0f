#!/usr/bin/env python3
"""Where the log goes, in which form, and that it stops nothing: syslog, the
journal, a fifo, JSON."""

import json
import os
import pathlib
import re
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from pool import SAMPLE, Pool, run_tallyd, serves

WRONG = b'{"items":[{"value":"one"}]}'


class Receiver:
    """A socket like those of syslog and the journal."""

    def __init__(self, path=None):
        self.path = path or kit.fresh_path("log.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(kit.wait_limit(10))

    def packet(self, part):
        """The next packet that has `part`; those before are passed over."""
        while True:
            packet = self.socket.recv(65536)
            if part in packet:
                return packet

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.socket.close()
        self.path.unlink(missing_ok=True)


def start(**settings):
    """A pool that says nothing on standard error."""
    pool = Pool(start=False, **settings)
    pool.process = kit.Process("tallyd", pool.command)
    pool.wait_until_up()
    pool.wait_for_workers()
    return pool


@tap.test
def syslog_gets_datagrams():
    """log_to = syslog: the traditional form, one datagram a line"""
    with Receiver() as receiver, start(log_to="syslog",
                                       log_socket=receiver.path) as pool:
        tap.equal(pool.log(), "", "what standard error got")
        pool.post(WRONG)
        packet = receiver.packet(b"outcome=wrong_shape")
        tap.check(re.fullmatch(
            rb"<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d tallyd\[\d+\]: worker "
            rb'\d: outcome=wrong_shape status=422 request=\w+ .*detail="[^\n]*"',
            packet), f"the packet is {packet}")
        pool.stop()
        receiver.packet(b"tallyd[%d]: tallyd: stopped" % pool.pid)


@tap.test
def syslog_can_have_json():
    with Receiver() as receiver, start(log_to="syslog", log_format="json",
                                       log_socket=receiver.path) as pool:
        pool.post(WRONG)
        packet = receiver.packet(b"wrong_shape")
        event = json.loads(packet.partition(b"]: ")[2])
        tap.equal((event["status"], event["level"]), (422, "info"), "event")


@tap.test
def a_syslog_that_is_restarted():
    """a daemon that goes and comes back, with the same path, gets lines again,
    and one that is away stops nothing"""
    with Receiver() as receiver:
        path = receiver.path
        pool = start(workers=1, log_to="syslog", log_socket=path)
    for _turn in range(20):
        serves(pool)
    kit.until("lines are lost", lambda: pool.count("log_dropped") >= 20)
    with Receiver(path) as receiver:
        pool.post(WRONG)
        receiver.packet(b"wrong_shape")
        pool.stop()


@tap.test
def a_syslog_that_stands_still():
    """a daemon that does not read stops nothing; what it misses is counted"""
    with Receiver() as receiver, start(log_to="syslog",
                                       log_socket=receiver.path) as pool:
        for _turn in range(600):  # its queue has at most 512
            serves(pool)
        tap.check(pool.count("log_dropped") > 0, "nothing was dropped")


def fields_of(packet):
    tap.check(packet.endswith(b"\n"), f"no end: {packet}")
    return dict(line.split(b"=", 1) for line in packet[:-1].split(b"\n"))


def is_our_event(receiver, pool, reply):
    fields = fields_of(receiver.packet(b"OUTCOME=wrong_shape"))
    for key, value in {b"PRIORITY": b"6", b"SYSLOG_IDENTIFIER": b"tallyd",
                       b"TALLYD_POOL": b"orders", b"STATUS": b"422",
                       b"ENDPOINT": b"main"}.items():
        tap.equal(fields[key], value, f"the field {key}")
    tap.contains(reply.body, fields[b"REQUEST_ID"], "the reply has its id")
    tap.check(fields[b"MESSAGE"].startswith(b"worker "), "the message")
    tap.equal(len(fields[b"TRACE_ID"]), 32, "the length of the trace")


@tap.test
def the_journal_gets_fields():
    """log_to = journal: its own protocol"""
    with Receiver() as receiver, start(log_to="journal", name="orders",
                                       log_socket=receiver.path) as pool:
        tap.equal(pool.log(), "", "what standard error got")
        is_our_event(receiver, pool, pool.post(WRONG))


def journal_stream(fd):
    st = os.fstat(fd)
    return {"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}


class Journal(Pool):
    """A pool whose standard error is a stream to the journal."""

    def __init__(self, **settings):
        self.ours, theirs = socket.socketpair()
        super().__init__(start=False, **settings)
        # A shell moves the socket to descriptor 2, and keeps the variable.
        number = theirs.fileno()
        os.set_inheritable(number, True)
        self.process = kit.Process(
            "tallyd", ["bash", "-c", f'exec "$@" 2>&{number}', "sh",
                       *self.command],
            pass_fds=(number,), env=journal_stream(number))
        theirs.close()
        self.wait_until_up()
        self.wait_for_workers()


@tap.test
def the_journal_is_found():
    """log_to = auto with JOURNAL_STREAM: the journal; also after USR1"""
    with Receiver() as receiver, Journal(name="orders", workers=1,
                                         log_socket=receiver.path) as pool:
        is_our_event(receiver, pool, pool.post(WRONG))
        pool.process.send(signal.SIGUSR1)
        os.kill(pool.workers()[0], signal.SIGUSR1)
        is_our_event(receiver, pool, pool.post(WRONG))


@tap.test
def the_journal_behind_standard_error():
    """when only its stream is in reach, lines have the prefix <N>"""
    with Journal(log_socket=kit.fresh_path("none")) as pool:
        pool.post(WRONG)
        pool.ours.settimeout(kit.wait_limit(10))
        text = b""
        while b"wrong_shape" not in text:
            text += pool.ours.recv(65536)
        for line in text.splitlines():
            tap.check(re.match(rb"<[3-7]>(tallyd|worker \d)\[\d+\]: ", line),
                      f"the line is {line}")


@tap.test
def another_stream_is_not_the_journal():
    """a JOURNAL_STREAM inherited from elsewhere does not count"""
    with Pool(env=journal_stream(0)) as pool:
        tap.contains(pool.log(), "serving on", "standard error")
        tap.check(pool.log()[0] == "2", "the line has no stamp")


@tap.test
def every_line_is_an_object():
    """log_format = json, with hostile bodies, paths and ids"""
    with Pool(log_format="json", name='o"\\rders') as pool:
        for body in (SAMPLE, WRONG, b"\xff", b'\x1b[2J\r\n'):
            for path in ("/", '/"\\\x01\x7f\n{}', "/\x1b[2J", "/" + "x" * 9000):
                pool.post(body, path=path)
        pool.process.send(signal.SIGHUP)
        pool.wait_for_count("generation", 2)
        pool.stop()
        events = [json.loads(line) for line in pool.log().splitlines()]
        tap.equal({event["pool"] for event in events}, {'o"\\rders'}, "pools")
        tap.check({"ok", "wrong_shape", "malformed_json"} <=
                  {event.get("outcome") for event in events}, "the outcomes")
        tap.check(all(isinstance(event.get("status", 0), int)
                      for event in events), "a status is no number")


@tap.test
def a_reload_changes_the_form():
    with Pool(workers=1) as pool:
        config = pool.config.read_text().replace(
            "[pool]\n", "[pool]\nlog_format = json\n")
        pool.config.write_text(config)
        pool.process.send(signal.SIGHUP)
        pool.wait_for_count("generation", 2)
        # Until it has left, the old worker may take the request.
        reloads.wait_until_alone(pool)
        pool.post(WRONG)
        pool.wait_for_log('"outcome":"wrong_shape"')


@tap.test
def a_fifo_that_nobody_reads():
    """log_file is a fifo: its reader stands still, then reads again"""
    path = kit.fresh_path("fifo")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with start(log_file=path) as pool:
            for _turn in range(1000):
                serves(pool)
            dropped = pool.count("log_dropped")
            tap.check(dropped > 0, "nothing was dropped")
            text = b""
            while len(text) < 60000:
                text += os.read(reader, 65536)
            serves(pool)
            line = os.read(reader, 65536)
            tap.check(b"outcome=ok" in line, f"afterwards: {line}")
            for line in text.splitlines():
                tap.check(re.match(rb"\d{4}-.*\]: ", line), f"split: {line}")
    finally:
        os.close(reader)


@tap.test
def a_log_that_cannot_be_opened_again():
    """USR1 with a directory that is gone: the old file goes on, and says so"""
    place = kit.fresh_path("logs")
    place.mkdir()
    with start(log_file=place / "log", workers=1) as pool:
        kept = os.open(place / "log", os.O_RDONLY)
        (place / "log").unlink()
        place.rmdir()
        pool.process.send(signal.SIGUSR1)
        kit.until("the supervisor says so", lambda: os.pread(
            kept, 65536, 0).count(b"the log is not opened again: log_file = ")
            == 1)
        serves(pool)
        os.close(kept)


@tap.test
def a_place_that_is_not_there_is_told():
    for settings, status, part in (
            ({"log_to": "syslog", "log_socket": "/none/such"}, 1,
             "log_to = syslog: /none/such: No such file"),
            ({"log_to": "journal", "log_socket": "/none/such"}, 1,
             "log_to = journal: /none/such: No such file"),
            ({"log_to": "syslog", "log_file": "/tmp/x"}, 78, "log_file: for"),
            ({"log_to": "stderr", "log_socket": "/dev/log"}, 78, "log_socket:"),
            ({"log_to": "file"}, 78, "auto|stderr|syslog|journal"),
            ({"log_format": "xml"}, 78, "text|json")):
        options = [word for key, value in settings.items()
                   for word in ("-s", f"pool.{key}={value}")]
        got, _out, errors = run_tallyd(
            "-s", f"pool.listen={kit.fresh_path('s')}", *options)
        tap.equal(got, status, f"the exit status for {settings} ({errors})")
        tap.contains(errors, part, "the message")


sys.exit(kit.run())
