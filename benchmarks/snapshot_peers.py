# SPDX-License-Identifier: Apache-2.0
"""Who is measured by snapshots.py, and with which commands: Trainyard, its peers, and the bare loops.

A command is a list of arguments. In those of Trainyard and of the bare loops, {data}, {store}, {restored} and {id} are
filled in; the others are scripts of the shell and find $DATA, $STORE and $RESTORED in their environment.
"""

import dataclasses
import json
import os
import re
import shutil
import subprocess

BARE = "bare"
OURS = "trainyard"


def sh(script):
    return ["sh", "-c", script]


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    program: str
    snapshot: list
    init: list = dataclasses.field(default_factory=list)
    verify: list = dataclasses.field(default_factory=list)
    restore: list = dataclasses.field(default_factory=list)
    # Whether a second snapshot into the same store knows the first: without that, nothing is "unchanged".
    repeats: bool = True
    # What below the store only saves time, and is not counted as stored.
    caches: tuple = ()

    def is_here(self):
        return shutil.which(self.program) is not None

    def version(self):
        option = "version" if self.program == "restic" else "--version"
        output = subprocess.run([self.program, option], capture_output=True, text=True).stdout
        return re.search(r"\d+\.[\d.]*\d|\d+$", output, re.MULTILINE).group()

    def id_of(self, output):
        """The name by which the snapshot just made is verified and restored; only Trainyard prints one."""
        return json.loads(output)["tree"]["digest"] if self.name == OURS else ""


def ours(program):
    store = [program, "--store", "{store}/store"]
    return Peer(
        OURS,
        program,
        init=[*store, "init"],
        snapshot=[*store, "snapshot", "create", "{data}", "--json"],
        verify=[*store, "snapshot", "verify", "{id}"],
        restore=[*store, "snapshot", "checkout", "{id}", "{restored}/data"],
        caches=("store/cache",),
    )


RESTIC = Peer(
    "restic",
    "restic",
    init=sh('restic -q -r "$STORE/repo" init'),
    snapshot=sh('cd "$DATA" && restic -q -r "$STORE/repo" backup .'),
    verify=sh('restic -q -r "$STORE/repo" check --read-data'),
    restore=sh('restic -q -r "$STORE/repo" restore latest --target "$RESTORED/data"'),
)
BORG = Peer(
    "borg",
    "borg",
    init=sh('borg init -e none "$STORE/repo"'),
    snapshot=sh('cd "$DATA" && borg create "$STORE/repo::$(date +%s%N)" .'),
    verify=sh('borg check --verify-data "$STORE/repo"'),
    restore=sh(
        'mkdir "$RESTORED/data" && cd "$RESTORED/data" &&'
        ' borg extract "$STORE/repo::$(borg list --last 1 --short "$STORE/repo")"'
    ),
)
CASYNC = Peer(
    "casync",
    "casync",
    init=sh('mkdir "$STORE/store.castr"'),
    snapshot=sh('casync make --store="$STORE/store.castr" "$STORE/data.caidx" "$DATA"'),
    verify=sh('casync digest --store="$STORE/store.castr" "$STORE/data.caidx"'),
    restore=sh('casync extract --store="$STORE/store.castr" "$STORE/data.caidx" "$RESTORED/data"'),
)
# No commit: only what it takes to know the tree of the folder, which git does faster than anybody.
GIT = Peer(
    "git",
    "git",
    init=sh('env -u GIT_WORK_TREE git init -q --bare && git config core.bare false && git config gc.auto 0'),
    snapshot=sh('cd "$DATA" && git add -A && git write-tree'),
    verify=sh("git fsck --full --no-dangling"),
    restore=sh('cd "$DATA" && git checkout-index -a -q --prefix="$RESTORED/data/"'),
)
CP = Peer(
    "cp -r",
    "cp",
    snapshot=sh('cp -r "$DATA" "$STORE/data"'),
    restore=sh('cp -r "$STORE/data" "$RESTORED/data"'),
    repeats=False,
)
RSYNC = Peer(
    "rsync",
    "rsync",
    snapshot=sh('rsync -a "$DATA/" "$STORE/data/"'),
    verify=sh('rsync -anc --out-format=%n "$STORE/data/" "$DATA/"'),
    restore=sh('rsync -a "$STORE/data/" "$RESTORED/data/"'),
)
RSYNC_LINK = Peer(
    "rsync --link-dest",
    "rsync",
    snapshot=sh(
        'n=$(ls "$STORE" | wc -l); if [ "$n" = 0 ]; then set --; else set -- --link-dest="$STORE/$((n - 1))"; fi;'
        ' rsync -a "$@" "$DATA/" "$STORE/$n/"'
    ),
    verify=sh('rsync -anc --out-format=%n "$STORE/0/" "$DATA/"'),
    restore=sh('rsync -a "$STORE/0/" "$RESTORED/data/"'),
)
TAR = Peer(
    "tar+zstd",
    "zstd",
    snapshot=sh('tar -C "$DATA" -c . | zstd -q -T0 -o "$STORE/data.tar.zst"'),
    verify=sh('zstd -q -t "$STORE/data.tar.zst"'),
    restore=sh('mkdir "$RESTORED/data" && zstd -q -d -c "$STORE/data.tar.zst" | tar -C "$RESTORED/data" -x'),
    repeats=False,
)
OTHERS = [RESTIC, BORG, CASYNC, GIT, CP, RSYNC, RSYNC_LINK, TAR]


def bare_loops(program):
    """What the bare loops measure warm, and what cold: an operation's name and its command."""
    cores = str(os.cpu_count())
    warm = {
        "walk": [program, "walk", "{data}"],
        "walk, all cores": [program, "walk", "{data}", "--threads", cores],
        "read": [program, "read", "{data}"],
        "sha256": [program, "sha256", "{data}", "--threads", cores],
        "sha256 in pieces": [program, "pieces", "{data}", "--threads", cores],
    }
    cold = {
        "read": [program, "read", "{data}"],
        "sha256": [program, "sha256", "{data}", "--threads", "16"],
    }
    return warm, cold


def environment(data, store, restored, home):
    """That of every command: nothing of the caller's settings but where programs are."""
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        "DATA": str(data),
        "STORE": str(store),
        "RESTORED": str(restored),
        "RESTIC_PASSWORD": "benchmark",
        "RESTIC_CACHE_DIR": f"{home}/restic",
        "BORG_BASE_DIR": f"{home}/borg",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "GIT_DIR": f"{store}/git",
        "GIT_WORK_TREE": str(data),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
