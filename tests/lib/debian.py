"""A Debian without anything of ours, which mmdebstrap has made, and the packages
of `./bootstrap deb`."""

import os
import pathlib
import re
import shutil
import subprocess
import zlib

import kit
import system
import tap

BUILD = pathlib.Path(kit.TALLYD or "/").parent.parent
PACKAGES = "tallyctl", "tallyd"
# Besides what the packages need.
MORE = ["systemd", "nginx-light", "curl"]


def _ask(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          timeout=kit.wait_limit(60)).stdout


def find_packages():
    """The files of tallyctl and tallyd, as they have to be installed."""
    found = [path for name in PACKAGES
             for path in (BUILD / "deb").glob(f"{name}_*.deb")]
    if len(found) != len(PACKAGES):
        raise tap.Skip(f"./bootstrap deb has made none in {BUILD / 'deb'}")
    return found


def field(package, name):
    return _ask("dpkg-deb", "-f", str(package), name).strip()


def make_older(package):
    """The same package with a lower version; gives its file."""
    place = kit.fresh_path("older")
    _ask("dpkg-deb", "-R", str(package), str(place))
    control = place / "DEBIAN/control"
    text = control.read_text()
    version = field(package, "Version")
    text = text.replace(version, older(version))
    control.write_text(text)
    out = place.with_suffix(".deb")
    _ask("dpkg-deb", "-b", str(place), str(out))
    return out


def older(version):
    return version.replace("~", "~~", 1) if "~" in version else version + "~"


def _needed(packages):
    """What their Depends: name first, but for each other."""
    names = [re.match(r"[\w.+-]+", one.strip())[0] for package in packages
             for one in field(package, "Depends").split(",")]
    return sorted({*names, *MORE} - {*PACKAGES})


def _release():
    text = pathlib.Path("/etc/os-release").read_text("utf-8")
    return re.search(r"^VERSION_CODENAME=(\w+)", text, re.M)[1]


def _make_root(packages, place):
    """mmdebstrap, from where this machine has its packages from."""
    sources = "".join(sorted(set(_ask(
        "apt-get", "indextargets", "--format",
        "deb $(REPO_URI) $(RELEASE) $(COMPONENT)\n", "Created-By: Packages",
        "Origin: Debian").splitlines(True))))
    if not sources.strip():
        raise tap.Skip("apt-get has no sources of Debian")
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    done = subprocess.run(
        ["timeout", str(kit.wait_limit(100)), "mmdebstrap", "--variant=minbase",
         "--format=directory", f"--include={','.join(_needed(packages))}",
         _release(), fresh, "-"],
        input=sources, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise tap.Skip("mmdebstrap: " + (done.stderr.strip().splitlines()
                                         or ["it failed"])[-1])
    os.rename(fresh, place)


def clean_system():
    """Up, without our packages. Its files are kept beside the build for the next
    run, as they are what takes long; remove them to have newer ones."""
    packages = find_packages()
    if os.geteuid() != 0:
        raise tap.Skip("only root makes a system")
    if shutil.which("mmdebstrap") is None:
        raise tap.Skip("mmdebstrap is not installed")
    needed = zlib.crc32(" ".join(_needed(packages)).encode())
    files = BUILD / f"debian-root-{needed:08x}"
    if not files.exists():
        _make_root(packages, files)
    return system.System("/lib/systemd/system", files=str(files))
