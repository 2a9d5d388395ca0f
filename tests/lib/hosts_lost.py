"""A front with its file of conf/ and three hosts, of which one is lost, is
stopped, or cannot work. Whatever happens, no result is posted twice and no 200 is
without a post; what fails was in hand of that host."""

import signal

import hosts
import kit
import tap

# Workers of a host for so many requests a second, with a downstream of 50 ms: two
# hosts can do what is asked for, with a fifth to spare.
WORKERS = {80: 4, 800: 24}

# nginx has no other means against a host that took a request and is gone.
PASS = "fastcgi_pass             tallyd_hosts;"
SOONER = {hosts.Nginx: ((PASS, PASS + " fastcgi_read_timeout 8s;"),),
          hosts.Haproxy: ()}


def report(account, event, front, host):
    """The cell of the table, and how long the host was still tried."""
    late = [at - event.wall for at in front.tries(host) if at > event.wall]
    tap.note(f"failed (of which posted) / doubled: {account.cell()}, of "
             f"{len(account.requests)}, {len(account.in_hand(event))} in hand; "
             f"{len(late)} tries at the host afterwards, the last after "
             f"{max(late, default=0):.2f} s")


def lose(front, rate, how, allowed, changes=()):
    """Host 1 is lost by `how`; `allowed`: requests that may fail besides those in
    hand."""
    rig = hosts.Rig(front, WORKERS[rate], changes=changes)
    host = rig.hosts[0]
    load = rig.load(rate)
    load.goes_on(1)
    event = hosts.Event(how, host)
    rig.front.leaves([host], load)
    account = rig.account(load)
    report(account, event, rig.front, host)
    account.check(failed_most=len(account.in_hand(event)) + allowed)
    outside = account.outside(event)
    tap.check(len(outside) <= allowed, f"failed, and not in hand: {outside}")
    by_others = [one for one in account.failed_posted()
                 if one not in outside
                 and account.posts[one.number][0][1] != host.address]
    tap.equal(by_others, [], "failed, and posted by another host")


def sigkill(front, rate):
    lose(front, rate, hosts.kill, 0)


def link_down(front, rate):
    lose(front, rate, hosts.Host.cut, 1, SOONER[front])


def zone_down(front, rate):
    """Two of three hosts lose their links at once; the third one can do it all."""
    rig = hosts.Rig(front, workers=24, changes=SOONER[front])
    load = rig.load(rate)
    load.goes_on(1)
    lost = rig.hosts[:2]
    event = hosts.Event(lambda: [host.cut() for host in lost])
    rig.front.leaves(lost, load)
    account = rig.account(load)
    report(account, event, rig.front, lost[0])
    account.check()
    outside = account.outside(event)
    tap.check(len(outside) <= len(lost), f"failed, and not in hand: {outside}")


def serves_again(host):
    """The front uses a pool that was started anew."""
    kit.until(f"{host.cable} is used again",
              lambda: host.pool.count("ok") > 0, limit=30, beat=0.05)


def restart(front, rate, count):
    """So many hosts are stopped, one after the other: nothing fails."""
    rig = hosts.Rig(front, WORKERS[rate], stop_delay="1s")
    load = rig.load(rate)
    load.goes_on(0.5)
    for host in rig.hosts[:count]:
        event = hosts.Event(host.pool.process.send, signal.SIGTERM)
        tap.equal(host.pool.process.wait(60), 0, "the status of tallyd")
        load.goes_on(0.5)
        if count > 1:
            host.pool.start()
            serves_again(host)
    account = rig.account(load)
    report(account, event, rig.front, host)
    account.check(failed_most=0)


def sigterm(front, rate):
    restart(front, rate, 1)


def rolling_restart(front, rate):
    restart(front, rate, 3)


def breaker(host):
    return host.pool.status()["breakers"][0]


FAILURES = 3


def open_breaker(front, rate):
    """One host does not reach the downstream. Its breaker opens after three posts,
    besides those that other workers have begun by then; from then on its 503 go
    elsewhere, and what fails is one probe after each cooldown."""
    rig = hosts.Rig(front, WORKERS[rate], endpoint={"breaker": FAILURES})
    host = rig.hosts[0]
    host.run("ip", "route", "add", "unreachable", f"{hosts.DOWNSTREAM}/32")
    load = rig.load(rate)
    kit.until("the breaker is open", lambda: breaker(host)["state"] == "open")
    event = hosts.Event(load.goes_on, 0.2)
    load.goes_on(3)
    account = rig.account(load)
    report(account, event, rig.front, host)
    opened = [one for one in account.failed if one.sent < event.after]
    later = [one for one in account.failed if one.sent >= event.after]
    probes = host.pool.count("breaker_probes")
    tap.note(f"failed until it was open: {len(opened)}, later: {len(later)}, "
             f"probes: {probes}; 503 of the host: "
             f"{host.pool.count('breaker_open')}")
    account.check()
    tap.check(len(opened) <= FAILURES + WORKERS[rate] + probes,
              f"until it was open: {opened}")
    tap.check(len(later) <= probes, f"later: {later}")
    tap.check(host.pool.count("breaker_open") > 0, "it has refused nothing")
    page = rig.front.machine.run("curl", "--silent", "--show-error",
                                 f"http://{host.address}:9145/readyz")
    tap.equal(page, "ready\n", "/readyz of a pool whose breaker is open")


def slow_host(front, rate):
    """The posts of one host take a second. What has waited there for 250 ms gets
    503, and is served elsewhere."""
    rig = hosts.Rig(front, WORKERS[rate], first={"queue_timeout": "250ms"})
    host = rig.hosts[0]
    load = rig.load(rate)
    load.goes_on(0.5)
    event = hosts.Event(rig.down.slow, host, 1.0)
    load.goes_on(3)
    account = rig.account(load)
    report(account, event, rig.front, host)
    tap.note(f"503 of the slow host: {host.pool.count('queue_timeout')}")
    account.check(failed_most=0)
    tap.check(host.pool.count("queue_timeout") > 0, "it has refused nothing")


CELLS = {80: (sigkill, link_down, zone_down, sigterm, rolling_restart,
              open_breaker, slow_host),
         800: (sigkill, link_down, sigterm, rolling_restart, open_breaker,
               slow_host)}


def run(front, rate):
    """Run all of them; the status to exit with."""
    for cell in CELLS[rate]:
        tap.add(f"{front.name}, {rate} requests/s: "
                f"{cell.__name__.replace('_', ' ')}",
                lambda cell=cell: cell(front, rate))
    return kit.run()
