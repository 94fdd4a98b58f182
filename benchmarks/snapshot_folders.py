# SPDX-License-Identifier: Apache-2.0
"""The folders that snapshots.py reads and writes, and the state of the caches and the disk under them."""

import concurrent.futures
import contextlib
import ctypes
import dataclasses
import os
import pathlib
import shutil
import subprocess
import time

DROP_CACHES = pathlib.Path("/proc/sys/vm/drop_caches")


def can_drop_caches():
    return os.geteuid() == 0 and os.access(DROP_CACHES, os.W_OK)


def drop_caches():
    os.sync()
    DROP_CACHES.write_text("3\n")


def sync_seconds(folder):
    """How long it takes until everything on the folder's file system is on the disk."""
    fd = os.open(folder, os.O_RDONLY)
    begin = time.perf_counter()
    failed = ctypes.CDLL(None).syncfs(fd)
    took = time.perf_counter() - begin
    os.close(fd)
    if failed:
        raise OSError(f"{folder} cannot be synced")
    return took


def usage_of(folder):
    """Files, their bytes, and the bytes of their blocks."""
    files, size, blocks = 0, 0, 0
    # One at a time: every process that is started is said to have needed what this one did.
    for path, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(path, name))
            files, size, blocks = files + 1, size + status.st_size, blocks + status.st_blocks * 512
    return files, size, blocks


def remove_tree(top):
    """With many threads: on a file system mounted with `discard`, an unlink can wait a millisecond for the disk."""

    def remove_files(folder):
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        for _ in threads.map(remove_files, [path for path, _, _ in os.walk(top)]):
            pass
    shutil.rmtree(top)


class Scratch:
    """The folders a peer writes to: a store, what is restored from it, and a home for its settings and caches.

    ext4 does not hand out an inode again for minutes after its file was deleted, and at each create it searches past
    every such inode of the block group: 6,000 creates after 12,000 deletes take 1.4 s instead of 0.2 s. So nothing is
    deleted between two measurements of a peer, and every peer gets folders in a block group of their own: below a
    folder with the attribute T, ext4 chooses the group by a hash of the new folder's name.
    """

    def __init__(self, root):
        self.root = root
        self.remove()
        root.mkdir()
        # Other file systems have no such attribute, and no need of it.
        subprocess.run(["chattr", "+T", root], stderr=subprocess.DEVNULL, check=False)
        self.fresh()

    def fresh(self):
        """New, empty folders; the old ones stay until the scratch is emptied."""
        place = self.root / str(time.time_ns())
        self.store, self.restored, self.home = place / "store", place / "restored", place / "home"
        for folder in [place, self.store, self.restored, self.home]:
            folder.mkdir()

    def remove(self):
        if self.root.exists():
            remove_tree(self.root)

    def empty(self):
        for place in self.root.iterdir():
            if place != self.store.parent:
                remove_tree(place)


@dataclasses.dataclass
class Workload:
    name: str
    folder: pathlib.Path

    @property
    def data(self):
        return self.folder / "data"

    def has_change(self):
        return (self.folder / "change").is_dir()

    @contextlib.contextmanager
    def changed(self):
        """The data with the change in it; only renames, so that nothing else about the files changes."""
        (self.folder / "original").mkdir()
        try:
            self.swap("change", "original")
            yield
        finally:
            self.put_back()

    def put_back(self):
        """Also after a benchmark that was killed while the change was in."""
        if (self.folder / "original").exists():
            self.swap("original", "change")
            shutil.rmtree(self.folder / "original")

    def swap(self, source, stash):
        """Every file of `source` takes its place in the data; the file that was there goes to `stash`."""
        top = self.folder / source
        for file in [path for path in top.rglob("*") if path.is_file()]:
            name = file.relative_to(top)
            kept = self.folder / stash / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            if not kept.exists():
                os.rename(self.data / name, kept)
            os.rename(file, self.data / name)
