#!/usr/bin/env python3
"""The image that `./bootstrap image` makes: what is in it, and how it runs under
runc, with a root that is read-only and no capability."""

import gzip
import hashlib
import io
import json
import pathlib
import signal
import stat
import subprocess
import sys
import tarfile
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from authority import Authority, need_authorities, server_context
from callers import Callers
from containers import IMAGE, SOCKET, USER, Container, read_image
from downstream import Downstream
from pool import SAMPLE

MOST = 10_000_000  # bytes that are downloaded
CLIENTS = 4, 16, 64


def read_files(layer):
    """{path: bytes} of the files of a layer."""
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        return {info.name: tar.extractfile(info).read()
                for info in tar if info.isfile()}


# --- What it is. ---

@tap.test
def it_is_small_and_fits_together():
    """at most 10 MB, digests that fit, a user that is not root"""
    config, packed = read_image()
    tap.check(len(packed) <= MOST, f"{len(packed)} bytes")
    layer = gzip.decompress(packed)
    tap.equal(config["rootfs"]["diff_ids"],
              ["sha256:" + hashlib.sha256(layer).hexdigest()], "diff_ids")
    tap.equal(config["config"]["User"], f"{USER}:{USER}", "User")
    tap.note(f"{len(packed)} bytes compressed, {len(layer)} unpacked")


@tap.test
def nothing_gains_rights():
    """every file is root's, and none is set-uid or may be written by others"""
    _config, packed = read_image()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        for info in tar:
            tap.equal((info.uid, info.gid), (0, 0), f"owner of {info.name}")
            others = info.mode & (stat.S_IWGRP | stat.S_IWOTH)
            if info.isdir() and others:
                tap.check(info.mode & stat.S_ISVTX, f"{info.name} is open")
            elif not info.issym():
                tap.equal(info.mode & (0o7000 | others), 0,
                          f"mode of {info.name}")


@tap.test
def the_list_of_contents_is_true():
    """tallyd.spdx.json has each file of a package with its sum, and each package
    in the version that is installed here"""
    _config, packed = read_image()
    files = read_files(gzip.decompress(packed))
    text = (IMAGE / "tallyd.spdx.json").read_bytes()
    tap.equal(files.pop("usr/share/sbom/tallyd.spdx.json"), text,
              "the list inside")
    document = json.loads(text)
    listed = {one["fileName"].removeprefix("./"): next(
        each["checksumValue"] for each in one["checksums"]
        if each["algorithm"] == "SHA256") for one in document["files"]}
    ours = {name for name in files if name.startswith("etc/")
            and not name.startswith("etc/ssl/")}
    tap.equal(listed, {name: hashlib.sha256(data).hexdigest()
                       for name, data in files.items() if name not in ours},
              "files and sums")
    for package in document["packages"]:
        if package["name"].startswith("tally"):
            continue
        version = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}\n", package["name"]],
            capture_output=True, text=True, check=True).stdout.split()[0]
        tap.equal(package["versionInfo"], version, package["name"])
    known = {"SPDXRef-DOCUMENT", *(one["SPDXID"] for one in
                                   document["packages"] + document["files"])}
    tap.equal(len(known), 1 + len(document["packages"]) + len(listed),
              "identifiers")
    for relation in document["relationships"]:
        tap.check(known >= {relation["spdxElementId"],
                            relation["relatedSpdxElement"]},
                  f"{relation} names what is not there")


# --- How it runs. ---

def answers(container):
    tap.equal(container.tallyctl("send", "-", body=SAMPLE.decode()),
              '{"sum":42}', "the reply")


def generations(container):
    status = json.loads(container.tallyctl("status", "--json"))
    return {worker["generation"] for worker in status["workers"]}


@tap.test
def with_its_own_settings():
    """the sample is answered; a reload and an upgrade from inside; all processes
    are the user's"""
    container = Container()
    answers(container)
    for command in "reload", "upgrade":
        container.tallyctl(command)
        answers(container)
    kit.until("the old generations have left",
              lambda: len(generations(container)) == 1)
    for pid in (container.init, *procfs.children_of(container.init)):
        tap.equal(pathlib.Path(f"/proc/{pid}").stat().st_uid, USER,
                  f"user of {procfs.command_of(pid)}")
    tap.equal(container.stop(), 0, "the exit status")


@tap.test
def as_any_user():
    """a user that has no name there, of the group root"""
    container = Container(uid=1000770000, gid=0)
    answers(container)
    tap.equal(container.stop(), 0, "the exit status")


@tap.test
def as_kubernetes_runs_it():
    """with the settings of conf/kubernetes where its pods have them, and the
    directory in memory that they have"""
    text = (kit.CONF / "kubernetes/base/settings.yaml").read_text("utf-8")
    settings = kit.fresh_path("settings")
    settings.mkdir()
    (settings / "tallyd.conf").write_text(textwrap.dedent(
        text.partition("  tallyd.conf: |\n")[2]))
    container = Container(
        {"TALLYD_ENDPOINT_PROCESS_DOWNSTREAM_MODE": "dry-run",
         "TALLYD_POOL_STOP_DELAY": "0s"},
        folders={"/run/tallyd": None, "/etc/tallyd": settings})
    tap.equal(container.tallyctl("send", "-", body=SAMPLE.decode()),
              '{"ok":true}', "the reply")
    container.tallyctl("health")
    tap.equal(container.stop(), 0, "the exit status")


@tap.test
def a_downstream_behind_tls():
    """the authorities in the image are those that libcurl looks for: with one more
    among them its server is trusted, without it is not"""
    need_authorities()
    _config, packed = read_image()
    place = "etc/ssl/certs/ca-certificates.crt"
    bundle = read_files(gzip.decompress(packed))[place]
    tap.check(bundle.count(b"BEGIN CERTIFICATE") > 100, "authorities")
    ours = Authority("ours")
    more = kit.fresh_path("certs")
    more.mkdir()
    (more / "ca-certificates.crt").write_bytes(
        bundle + pathlib.Path(ours.cert).read_bytes())
    with Downstream(tls=server_context(ours.issue("server", kit.HOST))) as down:
        for folders, status in (({}, 502), ({"/etc/ssl/certs": more}, 200)):
            run = kit.fresh_path("run")
            run.mkdir()
            run.chmod(0o777)
            container = Container(
                {"TALLYD_POOL_LISTEN": f"/run/{SOCKET}",
                 "TALLYD_ENDPOINT_MAIN_PATH": "/",
                 "TALLYD_ENDPOINT_MAIN_DOWNSTREAM": down.url,
                 "TALLYD_ENDPOINT_MAIN_TIMEOUT": "60s",
                 "TALLYD_ENDPOINT_MAIN_CONNECT_TIMEOUT": "60s"},
                folders={"/run": run, **folders}, shared=True)
            reply = fastcgi.post(container.address, SAMPLE, kit.wait_limit())
            tap.equal(reply.status, status, f"the status: {container.log()}")
            if status == 502:
                container.wait_for_log("issuer certificate")
            tap.equal(container.stop(), 0, "the exit status")


@tap.test
def stops_under_load():
    """TERM while clients send requests: each one that was taken is answered"""
    for clients in CLIENTS:
        run = kit.fresh_path("run")
        run.mkdir()
        run.chmod(0o777)
        container = Container({"TALLYD_POOL_LISTEN": f"/run/{SOCKET}",
                               "TALLYD_POOL_SOCKET_MODE": "0666"},
                              folders={"/run": run})
        callers = Callers(container, clients)
        callers.wait_for(20 * clients)
        container.send(signal.SIGTERM)
        tap.equal(container.wait(60), 0, "the exit status")
        callers.stop()
        tap.equal(callers.lost, [], f"lost, of {clients} clients")
        tap.equal(list(callers.answers), [(200, b'{"sum":42}')],
                  "the answers")
        tap.note(f"{clients} clients: {callers.served()} answers")
        container.end()


sys.exit(kit.run())
