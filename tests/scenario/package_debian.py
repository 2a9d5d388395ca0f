#!/usr/bin/env python3
"""The packages of `./bootstrap deb` in a Debian that has nothing else of ours,
under its own systemd: installed, upgraded from a version before under load,
removed and purged."""

import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import debian
import kit
import tap
from callers import Callers
from system import boot

SERVICE, SOCKET = "tallyd.service", "tallyd.socket"
# Directories that change by themselves, or when any package is installed.
BUSY = {"/proc", "/sys", "/dev", "/run", "/tmp", "/var/log/journal",
        "/var/lib/dpkg", "/var/cache/man", "/var/log/nginx", "/var/lib/nginx"}
# Files that tell of what was there: dpkg's log, and the user, who stays.
LEFT = {"/var/log/dpkg.log", "/etc/passwd-", "/etc/group-", "/etc/shadow-",
        "/etc/gshadow-", "/etc/.pwd.lock"}


class Peer:
    """Where a pool of the system listens, for Callers."""

    def __init__(self, system, name="tallyd"):
        self.address = str(system.path(f"/run/tallyd/{name}.sock"))


def install(system, packages):
    for package in packages:
        shutil.copy(package, system.path("/tmp"))
    system.run("dpkg", "-i", *(f"/tmp/{path.name}" for path in packages),
               limit=120)


def purge(system):
    system.run("dpkg", "--purge", *reversed(debian.PACKAGES))


def fresh(packages=None):
    """(system, packages): they are installed, and nothing is left of what was
    there before."""
    packages = packages or debian.find_packages()
    system = boot(debian.clean_system)
    purge(system)
    install(system, packages)
    return system


def older():
    return [debian.make_older(package) for package in debian.find_packages()]


def list_files(system):
    skip = [word for name in sorted(BUSY) for word in
            ("-path", name, "-prune", "-o")]
    return set(system.run("find", "/", *skip, "-print").splitlines()) - LEFT


def file_of(system, pid):
    return os.stat(system.path(f"/proc/{pid}/exe")).st_ino


def installed_by_the_readme():
    """The command of README.md that installs the packages, where a clone is."""
    system = boot(debian.clean_system)
    purge(system)
    line, = re.findall(r"^\./bootstrap deb && sudo (apt-get .*)$",
                       (kit.TOP / "README.md").read_text("utf-8"), re.M)
    place = system.path("/srv/clone/build/deb")
    place.mkdir(parents=True, exist_ok=True)
    for package in debian.find_packages():
        shutil.copy(package, place)
    system.run("bash", "-c", f"cd /srv/clone && {line}", limit=120)
    return system


@tap.test
def installed():
    """installed: the user, its directories, units that are good and run"""
    system = installed_by_the_readme()
    user = system.run("getent", "passwd", "tallyd").strip().split(":")
    tap.equal(user[6], "/usr/sbin/nologin", "the shell of the user")
    for name, owner in (("/run/tallyd", "755 root root"),
                        ("/var/log/tallyd", "2750 tallyd adm"),
                        ("/var/lib/tallyd", "750 tallyd tallyd"),
                        ("/etc/tallyd/tallyd.conf", "644 root root"),
                        ("/run/tallyd/tallyd.sock", "660 root www-data")):
        tap.equal(system.run("stat", "-c", "%a %U %G", name).strip(), owner,
                  name)
    units = ["tallyd.service", "tallyd.socket", "tallyd@.service",
             "tallyd@.socket", "tallyd-capture@.service"]
    said = system.call("systemd-analyze", "verify", "--man=no", *(
        f"/lib/systemd/system/{unit}" for unit in units))
    tap.equal([line for line in said.stderr.splitlines() if "tallyd" in line],
              [], "what systemd-analyze verify says")
    for unit in SERVICE, SOCKET:
        tap.equal(system.show(unit)["UnitFileState"], "enabled", unit)
    have = system.wait_for(SERVICE, ActiveState="active")
    tap.equal((have["StatusText"], have["NRestarts"]),
              ("serving, generation 1", "0"), "the service")
    tap.equal(system.status_of(int(have["MainPID"]))["Uid"].split()[0],
              user[2], "its user")
    system.run("dpkg", "--verify", *debian.PACKAGES)


@tap.test
def its_own_test():
    """the test that comes with the packages: the sample through nginx"""
    system = fresh()
    for name in "log", "lib":
        system.run("mkdir", "-p", f"/var/{name}/nginx")
    system.write("/tmp/sample", (kit.TOP / "packaging/debian/tests/sample")
                 .read_text())
    tap.contains(system.run("sh", "/tmp/sample"), '{"sum":42}', "its output")


@tap.test
def upgraded_under_load():
    """upgraded from a version before while clients send requests: the unit keeps
    its MainPID, no request is lost and no connection refused; settings that were
    changed stay"""
    system = fresh(older())
    system.run("systemctl", "start", SERVICE)
    pid = int(system.wait_for(SERVICE, ActiveState="active")["MainPID"])
    settings = system.path("/etc/tallyd/tallyd.conf")
    settings.write_text("[pool]\nworkers = 3\n")
    system.systemctl("reload", SERVICE)
    before = file_of(system, pid)
    callers = Callers(Peer(system), 8)
    callers.wait_for(200)
    packages = debian.find_packages()
    install(system, packages)
    callers.wait_for(200)
    callers.stop()
    have = system.wait_for(SERVICE, StatusText="serving, generation 3")
    tap.equal((have["ActiveState"], int(have["MainPID"]), have["NRestarts"]),
              ("active", pid, "0"), "the unit")
    tap.check(file_of(system, pid) != before, "it runs the old program")
    tap.equal((callers.lost, callers.refused), ([], 0), "lost and refused")
    tap.equal(list(callers.answers), [(200, b'{"sum":42}')], "the answers")
    tap.equal(settings.read_text(), "[pool]\nworkers = 3\n", "the settings")
    tap.equal(system.run("dpkg-query", "-W", "-f", "${Version}", "tallyd"),
              debian.field(packages[1], "Version"), "the version")


@tap.test
def upgraded_with_several_pools():
    """pools of tallyd@ take the new program over as well, and one that cannot is
    restarted"""
    system = fresh(older())
    system.write("/etc/tallyd/orders.conf", "[pool]\nworkers = 2\n")
    system.systemctl("start", "tallyd@orders.socket", "tallyd@orders.service")
    orders, main = (int(system.show(unit)["MainPID"]) for unit in
                    ("tallyd@orders.service", SERVICE))
    old = file_of(system, orders)
    # A reload, and so an upgrade, finds settings that it cannot take.
    system.write("/etc/tallyd/tallyd.conf", "[pool]\nworker = 1\n")
    install(system, debian.find_packages())
    tap.equal(int(system.show("tallyd@orders.service")["MainPID"]), orders,
              "MainPID of tallyd@orders")
    tap.check(file_of(system, orders) != old, "it runs the old program")
    tap.check(int(system.show(SERVICE)["MainPID"]) != main,
              "nobody has tried to start the other one")


@tap.test
def removed_and_purged():
    """removed: no pool runs, settings stay; purged: nothing is left but the user,
    and what an administrator has made"""
    system = boot(debian.clean_system)
    purge(system)
    shutil.rmtree(system.path("/etc/tallyd"), ignore_errors=True)
    before = list_files(system)
    install(system, debian.find_packages())
    system.write("/etc/tallyd/orders.conf", "[pool]\nworkers = 2\n")
    system.systemctl("start", "tallyd@orders.socket", "tallyd@orders.service")
    pids = [int(system.show(unit)["MainPID"]) for unit in
            (SERVICE, "tallyd@orders.service")]
    tap.check(all(pids), "both run")
    system.run("dpkg", "--remove", *reversed(debian.PACKAGES), limit=120)
    tap.equal([pid for pid in pids if system.path(f"/proc/{pid}").exists()],
              [], "supervisors that are left")
    tap.check(system.path("/etc/tallyd/tallyd.conf").exists(),
              "the settings are gone")
    purge(system)
    tap.equal(sorted(list_files(system) - before),
              ["/etc/tallyd", "/etc/tallyd/orders.conf"], "what is left")
    tap.check(not system.path("/run/tallyd").exists(), "/run/tallyd is left")
    tap.check(system.run("getent", "passwd", "tallyd"), "the user is gone")


sys.exit(kit.run())
