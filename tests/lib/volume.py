"""A directory as Kubernetes makes it of a ConfigMap or a Secret: the files are
links into ..data, a link to a directory that one update replaces as a whole
(pkg/volume/util/atomic_writer.go of Kubernetes says in which steps)."""

import os
import shutil

import kit


class Volume:
    def __init__(self, files):
        self.directory = kit.fresh_path("volume")
        self.directory.mkdir()
        self.number = 0
        self.put(files)
        for name in files:
            (self.directory / name).symlink_to(f"..data/{name}")

    def path(self, name):
        return self.directory / name

    def put(self, files):
        """One update of all files."""
        before = self.directory / f"..update_{self.number}"
        self.number += 1
        new = self.directory / f"..update_{self.number}"
        new.mkdir()
        for name, text in files.items():
            (new / name).write_text(text)
        link = self.directory / "..data_tmp"
        link.symlink_to(new.name)
        os.rename(link, self.directory / "..data")
        shutil.rmtree(before, ignore_errors=True)
