#!/usr/bin/env python3
"""A worker dies after every single system call of what it does with a
connection: whatever it had come to, the pool serves new connections and those
that are kept."""

import contextlib
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from deaths import Deaths
from fastcgi import request
from pool import SAMPLE, serves

SUM = b'{"sum":42}'
GONE = fastcgi.Broken, BrokenPipeError, ConnectionError


def ask(link):
    """A request on a kept connection; False: it ended with its worker."""
    try:
        link.send(request(SAMPLE, keep=True))
        tap.equal(link.read_reply().body, SUM, "the reply")
        return True
    except GONE:
        return False


class Round:
    """What is there before each death: a pool at rest, a kept connection to
    `use` and one to look `on`, each with a request behind it."""

    def __init__(self, deaths, fresh):
        self.deaths = deaths
        self.pool = deaths.pool
        self.links = contextlib.ExitStack()
        self.use, self.on = self.link(), self.link()
        for link in self.use, self.on:
            tap.check(ask(link), "a new connection ended")
        self.workers = self.pool.wait_for_workers()
        if fresh:
            self.pool.wait_for_sleep()  # it has parked what it has served
            for pid in self.workers:
                os.kill(pid, signal.SIGKILL)
            self.workers = self.pool.wait_for_workers(besides=self.workers)
        self.pool.wait_for_sleep()

    def link(self):
        return self.links.enter_context(self.pool.link())

    def serves(self, call):
        """New connections and old ones are served, and by as many workers."""
        serves(self.pool)
        tap.check(ask(self.on), f"after {call}: a connection at rest ended")
        serves(self.pool)
        self.pool.wait_for_workers()


def one_death(deaths, act, kind, count, fresh):
    """False: there are less calls."""
    turn = Round(deaths, fresh)
    before = deaths.sent
    with turn.links:
        deaths.hit_after(count, kind)
        act(turn)
        deaths.hit_after(0)
        if deaths.sent == before:
            return False
        turn.serves(f"{kind} {count}")
        return True


def every_death(act, kinds, workers=(1, 2), fresh=False, **settings):
    """`act(round)` is done again and again, with a death after its first call
    of a kind, after the second and so on, until it comes through. `fresh`: by
    workers that have served nothing yet."""
    met = set()
    for size in workers:
        deaths = Deaths(workers=size, log_level="info", **settings)
        seen = []
        with deaths.pool:
            for kind in kinds.split():
                count = 0
                while one_death(deaths, act, kind, count + 1, fresh):
                    count += 1
                met |= {kind} if count > 0 else set()
                seen.append(f"{kind} {count}")
            if not fresh:
                tap.equal(deaths.pool.count("exits_signal"), deaths.sent,
                          "workers killed")
            kit.until("no connection is left",
                      lambda: deaths.pool.status()["connections"] == 0)
        tap.note(f"{size} workers: {', '.join(seen)}")
    # Of two workers one may leave a call to the other.
    tap.equal(met, set(kinds.split()), "what was called")


def wait_for_state(turn, letter, pids):
    """Or for the death that is meant."""
    def look():
        try:
            return all(procfs.state_of(pid) == letter for pid in pids)
        except (FileNotFoundError, ProcessLookupError):
            return set(turn.pool.workers()) != set(turn.workers)
    kit.until(f"the workers are in state {letter}", look)


def settle(turn):
    """What a worker does after its reply belongs to it."""
    wait_for_state(turn, "S", turn.workers)


@tap.test
def accept():
    """of accepting a connection, serving and closing it"""
    def act(turn):
        with turn.pool.link() as link, contextlib.suppress(*GONE):
            link.send(request(SAMPLE))
            tap.equal(link.read_reply().body, SUM, "the reply")
        settle(turn)
    every_death(act, "epoll_pwait accept4 setsockopt recv write shutdown close")


@tap.test
def park():
    """of accepting a connection and parking it"""
    def act(turn):
        ask(turn.link())
        settle(turn)
    every_death(act, "epoll_pwait accept4 write dup3 close sendmsg epoll_ctl")


@tap.test
def take():
    """of taking a parked connection and parking it again"""
    def act(turn):
        ask(turn.use)
        settle(turn)
    every_death(act, "epoll_pwait recv write")


@tap.test
def take_in_pieces():
    """of taking a parked connection whose request comes in two pieces, and of
    being told of the second one while another worker has it"""
    whole = request(SAMPLE, keep=True)

    def act(turn):
        with contextlib.suppress(*GONE):
            turn.use.send(whole[:-20])
            settle(turn)
            turn.use.send(whole[-20:])
            tap.equal(turn.use.read_reply().body, SUM, "the reply")
        settle(turn)
    every_death(act, "epoll_pwait recv poll write epoll_ctl")


@tap.test
def take_from_another():
    """of taking a connection that another worker has parked, twice"""
    def act(turn):
        if ask(turn.use):
            ask(turn.use)
        settle(turn)
    every_death(act, "epoll_pwait recvmsg dup3 close recv write",
                workers=[1], fresh=True)


@tap.test
def retire():
    """of closing a parked connection"""
    def act(turn):
        turn.use.socket.shutdown(1)
        tap.check(turn.use.at_end(), "bytes")
        settle(turn)
    every_death(act, "epoll_pwait recv shutdown epoll_ctl recvmsg dup3 close")


@tap.test
def linger():
    """of dropping what comes behind the last reply, until the peer leaves"""
    whole = request(SAMPLE)

    def act(turn):
        with turn.pool.link() as link, contextlib.suppress(*GONE):
            link.send(whole[:-8])
            tap.equal(link.read_reply().body, SUM, "the reply")
            tap.check(link.at_end(), "more comes")
            settle(turn)
            link.send(whole)
            settle(turn)
        settle(turn)
    every_death(act, "epoll_pwait write shutdown sendmsg epoll_ctl recv")


@tap.test
def head_in_pieces():
    """of parking a connection in the middle of a head, too long to be noted in
    shared memory, and taking it again"""
    whole = request(SAMPLE, keep=True, HTTP_X_LONG="x" * 4000)

    def act(turn):
        with contextlib.suppress(*GONE):
            turn.use.send(whole[:3000])
            settle(turn)
            turn.use.send(whole[3000:])
            tap.equal(turn.use.read_reply().body, SUM, "the reply")
        settle(turn)
    every_death(act, "epoll_pwait recv sendmsg")


@tap.test
def queue():
    """of leaving a connection with what was read of it, for others that wait"""
    def act(turn):
        with turn.pool.link() as other, contextlib.suppress(*GONE):
            settle(turn)
            with contextlib.suppress(ProcessLookupError):
                os.kill(turn.workers[0], signal.SIGSTOP)
            wait_for_state(turn, "T", turn.workers[:1])
            turn.use.send(request(SAMPLE, keep=True) * 3)
            other.send(request(SAMPLE))
            with contextlib.suppress(ProcessLookupError):
                os.kill(turn.workers[0], signal.SIGCONT)
            for _reply in range(3):
                tap.equal(turn.use.read_reply().body, SUM, "the reply")
            tap.equal(other.read_reply().body, SUM, "the reply")
        settle(turn)
    every_death(act, "epoll_pwait recv write poll sendmsg epoll_ctl", workers=[1])


@tap.test
def pause_when_full():
    """of pausing the listener, with all slots taken, and of hearing it again
    when one is free"""
    def act(turn):
        fill = [turn.link() for _ in range(7)]  # 2 of 8 slots are taken
        for link in fill:
            with contextlib.suppress(*GONE):
                link.send(request(SAMPLE, keep=True))
        for link in fill:
            with contextlib.suppress(*GONE):
                tap.equal(link.read_reply().body, SUM, "the reply")
            link.close()
        settle(turn)
    every_death(act, "epoll_ctl epoll_pwait shutdown dup3 accept4", workers=[1],
                max_connections=8)


@tap.test
def pause_without_descriptors():
    """of pausing the listener for a moment, when accept4(2) fails"""
    def act(turn):
        turn.deaths.refuse(1)
        with turn.pool.link() as link, contextlib.suppress(*GONE):
            link.send(request(SAMPLE))
            tap.equal(link.read_reply().body, SUM, "the reply")
        settle(turn)
        turn.deaths.refuse(0)
    every_death(act, "epoll_pwait accept4 epoll_ctl timerfd_settime read")


@tap.test
def leave():
    """of a worker that was told to leave"""
    def act(turn):
        os.kill(turn.workers[0], signal.SIGTERM)
        turn.pool.wait_for_workers(besides=turn.workers[:1])
    every_death(act, "epoll_pwait close", workers=[1], max_connections=8)


sys.exit(kit.run())
