# SPDX-License-Identifier: Apache-2.0
"""What a Python package may tell Trainyard while it runs. Standard library only; a package that is to run elsewhere too
writes

    try:
        import trainyard
    except ImportError:
        trainyard = None

Outside of a run every function does nothing. All may be called from any thread and from processes that the package
forks.
"""

import datetime
import fcntl
import json
import math
import os
import re
import threading

_EVENTS = "TRAINYARD_EVENTS"  # where this run's events go to: a fifo
_SECRETS = "TRAINYARD_SECRETS"  # the names of variables whose values must not be told
_SHORTEST = 6  # of a secret; fewer letters that begin like one are nothing
_METRIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_one_at_a_time = threading.Lock()  # the lock of a file is its process's, whichever thread took it


def _forget_other_threads():
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_forget_other_threads)


def metric(name, value, step=0):
    """One value of a metric; `step` is a whole number that is not negative."""
    if not _METRIC_NAME.match(name):
        raise ValueError(f"the metric name {name!r} is not 1 to 64 letters, digits, '_' or '-'")
    if _redacted(name) != name:
        raise ValueError("the name of a metric must not hold a secret")
    if int(step) != step or step < 0:
        raise ValueError(f"the step {step!r} of the metric {name!r} is no whole number from 0 on")
    _tell({"event": "metric", "name": name, "step": int(step), "value": _number(float(value))})


def progress(fraction, note=""):
    """How far the current call is, from 0 to 1, and a word on it."""
    _tell({"event": "progress", "fraction": min(max(float(fraction), 0.0), 1.0), "note": str(note)[:256]})


def log(text, level="info"):
    """A line for whoever watches the run. What is printed is kept too; this is shown at once."""
    if level not in ("debug", "info", "warning", "error"):
        raise ValueError(f"the level {level!r} is none of debug, info, warning, error")
    _tell({"event": "log", "level": level, "text": str(text)[:65536]})


def rank():
    """Which worker of the run this is, from 0 on. Of a run on one node it is 0."""
    return int(os.environ.get("TRAINYARD_RANK", "0"))


def world_size():
    """How many workers the run has."""
    return int(os.environ.get("TRAINYARD_WORLD_SIZE", "1"))


def hosts():
    """Where the workers run, by rank; empty when there is one."""
    return [host for host in os.environ.get("TRAINYARD_HOSTS", "").split(",") if host]


def data_is_divided():
    """Whether each worker sees files of its own of the dataset (--data-sharding by-file) instead of all of them."""
    return os.environ.get("TRAINYARD_DATA_SHARDING") == "by-file"


def rendezvous():
    """Where the workers may meet: the host of rank 0 and a port that was free there when they began; None when there is one
    worker. For torch: init_process_group() needs no arguments but the backend."""
    host, _, port = os.environ.get("TRAINYARD_RENDEZVOUS", "").rpartition(":")
    return (host, int(port)) if port else None


def _number(value):
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _forms():
    """What must not be told, each with the name of its variable, the longest first. The logs and the outputs of a run are
    searched for the same forms. Made before the package runs, which may take its secrets out of the environment."""
    import base64
    import urllib.parse

    forms = {}
    for name in os.environ[_SECRETS].split(","):
        value = os.environ.get(name, "")
        if not value:
            continue
        data = value.encode("utf-8", "surrogateescape")
        texts = {value, value.strip(), data.hex(), data.hex().upper()}
        # Of Base64, what depends on the value alone, at each offset in what was encoded.
        for before in range(3):
            whole = base64.b64encode(b"\0" * before + data).decode()
            letters = whole[before + 1 if before else 0 : (before + len(data)) * 8 // 6]
            texts |= {letters, letters.replace("+", "-").replace("/", "_")}
        for kept in ("", "/"):
            for quoted in (urllib.parse.quote(value, safe=kept), urllib.parse.quote_plus(value, safe=kept)):
                texts |= {quoted, re.sub("%..", lambda found: found.group().lower(), quoted)}
        for ascii_only in (True, False):
            texts.add(json.dumps(value, ensure_ascii=ascii_only)[1:-1])
        forms.update((text, name) for text in texts)
    return sorted(forms.items(), key=lambda form: -len(form[0]))


_HIDDEN = _forms() if os.environ.get(_SECRETS) else []


def _redacted(text):
    """With "[secret NAME]" in place of each secret, and of what may be the beginning of one at the end: a text may have been
    cut."""
    for form, name in _HIDDEN:
        text = text.replace(form, f"[secret {name}]")
    for form, _ in _HIDDEN:
        for size in range(min(len(form) - 1, len(text)), _SHORTEST - 1, -1):
            if text.endswith(form[:size]):
                return text[:-size] + "[secret]"
    return text


def _tell(event, path=None):
    path = path or os.environ.get(_EVENTS)
    if not path:
        return
    now = datetime.datetime.now(datetime.timezone.utc)
    if _HIDDEN:
        for key in ("text", "note", "message"):
            if key in event:
                event[key] = _redacted(event[key])
    event["time"] = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    line = (json.dumps(event, sort_keys=True, separators=(",", ":")) + "\n").encode("utf-8", "replace")
    with _one_at_a_time:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            # Whole lines, from however many processes: of a long one a fifo takes what fits, and the rest later.
            fcntl.lockf(file, fcntl.LOCK_EX)
            while line:
                line = line[os.write(file, line) :]
        finally:
            os.close(file)
