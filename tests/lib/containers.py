"""Containers of the image that `./bootstrap image` has made, under runc."""

import functools
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import kit
import procfs
import tap

IMAGE = pathlib.Path(kit.TALLYD or "/").parent.parent / "image"
USER = 65532
SOCKET = "tallyd.sock"


def _need_image():
    if not (IMAGE / "oci/index.json").exists():
        raise tap.Skip(f"./bootstrap image has made none in {IMAGE}")


def read_blob(descriptor):
    """What a descriptor of the layout stands for; it is as long as it says, and
    has that digest."""
    algorithm, _, digest = descriptor["digest"].partition(":")
    data = (IMAGE / "oci/blobs" / algorithm / digest).read_bytes()
    tap.equal((len(data), hashlib.new(algorithm, data).hexdigest()),
              (descriptor["size"], digest), "size and digest of a blob")
    return data


def read_image():
    """(config, layer as it is stored) of the one image in the layout."""
    _need_image()
    index = json.loads((IMAGE / "oci/index.json").read_text())
    tap.equal(len(index["manifests"]), 1, "images in the layout")
    manifest = json.loads(read_blob(index["manifests"][0]))
    tap.equal(len(manifest["layers"]), 1, "layers")
    return (json.loads(read_blob(manifest["config"])),
            read_blob(manifest["layers"][0]))


@functools.cache
def _unpack():
    """(root, config for runc) that umoci makes of the image, or why not."""
    if os.geteuid() != 0:
        return "only root runs containers here"
    for program in "umoci", "runc":
        if shutil.which(program) is None:
            return f"{program} is not installed"
    _need_image()
    place = kit.fresh_path("bundle")
    done = subprocess.run(["umoci", "unpack", "--image",
                           f"{IMAGE}/oci:tallyd", place], capture_output=True,
                          text=True, check=False, timeout=kit.wait_limit(60))
    tap.equal(done.returncode, 0, f"umoci unpack: {done.stderr}")
    return place / "rootfs", json.loads((place / "config.json").read_text())


def _confine(config, root, user, folders, shared):
    """As strictly as containers are run: no capability, nothing to write to but
    the first of `folders`. Limits and the cgroup mount are left out: not every
    machine has cgroups that runc knows."""
    process, linux = config["process"], config["linux"]
    process["terminal"] = False
    process["user"] = user
    process["capabilities"] = {}
    process["noNewPrivileges"] = True
    process["rlimits"] = []
    config["root"] = {"path": str(root), "readonly": True}
    config["mounts"] = [mount for mount in config["mounts"]
                        if mount["type"] != "cgroup"]
    options = ["nosuid", "nodev", "noexec"]
    for number, (place, source) in enumerate(folders.items()):
        config["mounts"].append(
            {"destination": place, "type": "bind", "source": str(source),
             "options": ["bind", *options, *["ro"] * (number > 0)]}
            if source else
            {"destination": place, "type": "tmpfs", "source": "tmpfs",
             "options": [*options, "mode=1777", "size=16m"]})
    linux.pop("resources", None)
    linux["namespaces"] = [space for space in linux["namespaces"]
                           if space["type"] != "cgroup"
                           and not (shared and space["type"] == "network")]


class Container(kit.Process):
    """The image, run: with its own settings, and with variables of its
    environment. `folders` are {path in there: directory}; the first, usually
    /run, may be written to, and is one in memory where the directory is None.
    `shared`: it has the network of the test. What it logs is the log of runc."""

    def __init__(self, variables=None, uid=USER, gid=USER, folders=None,
                 shared=False):
        folders = folders or {"/run": None}
        unpacked = _unpack()
        if isinstance(unpacked, str):
            raise tap.Skip(unpacked)
        root, config = json.loads(json.dumps(
            [str(unpacked[0]), unpacked[1]]))
        _confine(config, root, {"uid": uid, "gid": gid}, folders, shared)
        config["process"]["env"] += [f"{name}={value}" for name, value in
                                     (variables or {}).items()]
        bundle = kit.fresh_path("bundle")
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(config))
        self.name_there = f"tallyd-test-{os.getpid()}-{bundle.name}"
        run = next(iter(folders.values()))
        self.address = run and str(run / SOCKET)
        super().__init__("runc", [*self._runc(), "run", "--bundle", bundle,
                                  self.name_there])
        self.wait_for_log(" serving on ")

    @staticmethod
    def _runc():
        return ["runc", "--root", str(kit.DIRECTORY / "runc")]

    @property
    def init(self):
        """The process id that its process 1 has outside."""
        return next(pid for pid in procfs.children_of(self.pid)
                    if "tallyd" in procfs.command_of(pid))

    def tallyctl(self, *arguments, body=""):
        """Run tallyctl in there; gives what it printed."""
        done = subprocess.run(
            [*self._runc(), "exec", self.name_there, "/usr/bin/tallyctl", "-c",
             "/etc/tallyd/tallyd.conf", *arguments], input=body, text=True,
            capture_output=True, check=False, timeout=kit.wait_limit(60))
        tap.equal(done.returncode, 0, f"the status of tallyctl {arguments}: "
                                      f"{done.stdout}{done.stderr}")
        return done.stdout

    def end(self):
        """Nothing of it is left after this."""
        subprocess.run([*self._runc(), "delete", "--force", self.name_there],
                       capture_output=True, check=False)
        super().end()
