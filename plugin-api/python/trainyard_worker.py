# SPDX-License-Identifier: Apache-2.0
"""The inner half of the worker for Python packages: makes the calls of job.json, in order, on one object of the class
Main in the package's train.py. Everything that it has to tell goes to EVENTS, a file or a fifo; the last event is `ended`,
unless the package's code ends the process.

    python3 -I -B trainyard_worker.py JOB_FILE EVENTS

The working directory is the package folder, and the environment is the job's. Standard library only.
"""

import importlib
import json
import math
import os
import signal
import sys
import threading
import traceback

import_folder = os.path.dirname(os.path.abspath(__file__))
if import_folder not in sys.path:
    sys.path.append(import_folder)

import trainyard  # noqa: E402  (isolated, Python looks for modules nowhere near this file)

REASON_CHARACTERS = 1024
PROCESS = os.getpid()


class Stopped(BaseException):
    """The run was asked to stop. No Exception, so that a package does not catch it by accident."""


class Ended(Exception):
    """The calls are over, with this status."""

    def __init__(self, status, verb="", message=""):
        super().__init__(message)
        self.event = {"event": "ended", "status": status, "verb": verb, "message": message[:REASON_CHARACTERS]}


class Run:
    def __init__(self, job, events):
        self.job = job
        self.events = events
        self.model = None

    def tell(self, **event):
        trainyard._tell(event, self.events)

    def carry_out(self):
        self.tell(event="loaded", abi_minor=0, builder="Python " + ".".join(map(str, sys.version_info[:3])))
        main = self.call("load", self.load)
        self.model = self.call("create", main)
        for call in self.job["calls"]:
            self.make(call)

    def load(self):
        module = importlib.import_module("train")
        main = getattr(module, "Main", None)
        if not isinstance(main, type):
            raise Ended("failed", "load", "train.py has no class Main")
        return main

    def make(self, call):
        verb, directory = call["verb"], call["directory"]
        chosen = None
        if call["directory_if_empty"] is not None:
            if has_nothing(directory):
                directory = call["directory_if_empty"]
            chosen = directory
        function = getattr(self.model, verb, None)
        if not callable(function):
            raise Ended("failed", verb, f"Main has no {verb}()")
        arguments = [] if directory is None else [directory]
        result = self.call(verb, function, *arguments, directory=chosen)
        if verb == "evaluate":
            self.tell(event="score", score=score_of(result))

    def call(self, verb, function, *arguments, directory=None):
        if verb != "load":
            self.tell(event="called", verb=verb, directory=directory)
        try:
            return function(*arguments)
        except Ended:
            raise
        except Stopped:
            raise Ended("cancelled", verb, "the run was asked to stop")
        except MemoryError:
            raise Ended("out_of_memory", verb, self.story(verb))
        except SystemExit as end:
            code = 0 if end.code is None else end.code
            raise Ended("failed", verb, f"{verb}() called sys.exit({code!r}) instead of returning")
        except BaseException:
            raise Ended("failed", verb, self.story(verb))
        finally:
            # A copy that the package forked has come back; the run is not its own.
            if os.getpid() != PROCESS:
                os._exit(0)

    def story(self, verb):
        """What went wrong, the error first, then the way to it through the package's own files."""
        kind, error, trace = sys.exc_info()
        traceback.print_exc()
        frames = [frame for frame in traceback.extract_tb(trace) if not is_ours(frame.filename)]
        if isinstance(error, ModuleNotFoundError) and error.name:
            return f"{verb}: {error}; {self.advice_for(error.name)}\n" + "".join(traceback.format_list(frames))
        what = "".join(traceback.format_exception_only(kind, error)).strip()
        way = "".join(traceback.format_list(frames))
        return f"{verb}: {what}\n{way}".rstrip()

    def advice_for(self, module):
        return (
            f"install it for {sys.executable}, or list it in the package's requirements.txt"
            if not listed_in_requirements(module)
            else f"the package's requirements.txt lists it, and {sys.executable} does not have it"
        )


def is_ours(filename):
    return filename == __file__ or filename.startswith("<frozen ")


def listed_in_requirements(module):
    wanted = module.split(".")[0].replace("_", "-").lower()
    for name in ("requirements.txt", "train_requirements.txt"):
        try:
            with open(name, encoding="utf-8", errors="replace") as file:
                lines = [line.strip().lower().replace("_", "-") for line in file]
        except OSError:
            continue
        if any(line.startswith(wanted) for line in lines):
            return True
    return False


def has_nothing(folder):
    """Whether a folder has no file, however many empty folders. One that cannot be read is not called empty."""
    try:
        for _, _, files in os.walk(folder, onerror=raise_error):
            if files:
                return False
    except OSError:
        return False
    return True


def raise_error(error):
    raise error


def score_of(value):
    """One finite number: of Python, of numpy, or of anything else that makes a float of itself."""
    wrong = Ended("failed", "evaluate", f"evaluate() gave {short(value)}, which is not a finite number")
    if value is None or isinstance(value, (str, bytes, bytearray)):
        raise wrong
    try:
        score = float(value)
    except Exception:
        raise wrong
    if not math.isfinite(score):
        raise wrong
    return score


def short(value):
    text = trainyard._redacted(repr(value))
    return f"{text if len(text) <= 100 else text[:97] + '...'} ({type(value).__name__})"


def stop(_signal, _frame):
    # Once: a package that goes on all the same is ended when its grace has passed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped()


def leave_stopping_to_the_run():
    """In processes that the package forks SIGTERM ends the process, as it would have without us. It is held back until that
    is arranged: one that came before would be noted for our handler, and then forgotten."""
    held = threading.local()

    def before():
        held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after_in_child():
        if signal.getsignal(signal.SIGTERM) is stop:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        after_in_parent()

    def after_in_parent():
        signal.pthread_sigmask(signal.SIG_SETMASK, held.mask)

    os.register_at_fork(before=before, after_in_child=after_in_child, after_in_parent=after_in_parent)


def main():
    job_file, events = sys.argv[1:]
    with open(job_file, encoding="utf-8") as file:
        job = json.load(file)
    os.environ[trainyard._EVENTS] = events
    # As if the package's own file had been started: its modules first, in its folder.
    sys.path.insert(0, job["working_directory"])
    sys.argv = [os.path.join(job["working_directory"], "train.py")]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    run = Run(job, events)
    ended = Ended("ok")
    try:
        signal.signal(signal.SIGTERM, stop)
        leave_stopping_to_the_run()
        run.carry_out()
    except Ended as end:
        ended = end
    except Stopped:
        ended = Ended("cancelled", "", "the run was asked to stop")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass
    run.tell(**ended.event)
    # Threads and exit handlers of the package have had their time.
    os._exit(0)


if __name__ == "__main__":
    main()
