#!/usr/bin/env python3
"""Two fronts with conf/keepalived/keepalived.conf: their address moves when one is
lost, and what fails was in hand of that one."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import kit
import tap

RATE = 80


class Pair:
    """Hosts behind two fronts, of which the first has the address."""

    def __init__(self, front):
        hosts.need("keepalived", "curl")
        self.rig = hosts.Rig(front)
        self.fronts = [self.rig.front, self.rig.add_front(front, 2)]
        self.guards = []
        for front, priority in zip(self.fronts, (150, 100)):
            self.guards.append(hosts.Keepalived(front, priority))
            self.guards[0].wait_for_address()
        # The second one may have had a moment before it heard of the first.
        kit.until("one has it", lambda: [
            guard.has_address() for guard in self.guards] == [True, False])
        self.load = self.rig.load(RATE, "--reconnect", address=hosts.SHARED)
        self.load.goes_on(1)

    def moved(self, event, patience, then=lambda: None):
        """The second one serves; what failed was in hand."""
        self.guards[1].wait_for_address()
        self.load.goes_on(1)
        then()
        account = self.rig.account(self.load, patience)
        moved = min((one.ended for one in account.requests
                     if one.sent > event.after and one.status == 200),
                    default=event.after)
        tap.note(f"failed (of which posted) / doubled: {account.cell()}, of "
                 f"{len(account.requests)}, {len(account.in_hand(event))} in "
                 f"hand; answered again after {moved - event.after:.2f} s")
        account.check()
        tap.equal(account.outside(event), [], "failed, and not in hand")


@tap.test
def a_front_whose_cable_is_pulled():
    pair = Pair(hosts.Nginx)
    event = hosts.Event(pair.fronts[0].machine.cut)
    # A client waits for its reply until it has had enough.
    pair.moved(event, patience=kit.seconds(10))


@tap.test
def a_front_whose_web_server_is_killed():
    """connections are refused until the address has moved, and it does not come
    back with that web server"""
    pair = Pair(hosts.Haproxy)
    event = hosts.Event(pair.fronts[0].kill)

    def come_back():
        seen = len(pair.guards[0].process.log())
        pair.fronts[0].start()
        kit.until("its front answers again", lambda: "succeeded" in
                  pair.guards[0].process.log()[seen:], limit=30)
        pair.load.goes_on(3)
        tap.equal([guard.has_address() for guard in pair.guards],
                  [False, True], "who has the address")
    pair.moved(event, 60, come_back)


@tap.test
def a_front_that_is_lost_in_the_middle_of_a_body():
    """the host posts nothing of such a request, and has its worker back: when the
    connection ends, or after body_timeout where nothing is heard any more"""
    for cut in (False, True):
        rig = hosts.Rig(hosts.Haproxy, workers=1, count=1,
                        body_timeout="2s" if cut else "1h")
        pool = rig.hosts[0].pool
        machine = hosts.Machine(rig.switch, "client", hosts.CLIENT)
        kit.Process("curl", machine.inside(
            "curl", "--silent", "--limit-rate", "20k", "--data-binary",
            f"@{large_body()}", f"http://{rig.front.address}/process"))
        kit.until("it has begun", lambda: pool.status()["workers"][0][
            "state"] not in ("idle", "starting"), limit=30)
        if cut:
            rig.front.machine.cut()
            pool.wait_for_count("body_timeout", 1, 30)
        else:
            rig.front.kill()
            pool.wait_for_count("client_gone", 1, 30)
        second = rig.add_front(hosts.Haproxy, 2)
        reply = machine.run("curl", "--silent", "--data",
                            '{"items":[{"value":42}]}',
                            f"http://{second.address}/process")
        tap.equal(reply, '{"ok":true}', "the reply to the next one")
        tap.equal([what[2] for what in rig.down.events()
                   if what[0] == "post"], [42], "what was posted")


def large_body():
    path = kit.fresh_path("body")
    path.write_text('{"items":[%s{"value":1}]}' % ('{"value":1},' * 100000))
    path.chmod(0o644)
    return path


sys.exit(kit.run())
