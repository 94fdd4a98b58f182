#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An MLflow tracking server as its REST API 2.0 documents it, for tests: it keeps what it is told, and refuses what is
beyond the documented limits. No part of MLflow is in it.

    mlflow_server.py [--user NAME:PASSWORD | --token TOKEN]

Listens on a free port of this machine and prints "listening PORT". GET /state tells all that it has, as JSON, and GET /log
the calls that came. Ends when its standard input does.
"""

import argparse
import base64
import http.server
import json
import posixpath
import re
import sys
import threading
import urllib.parse

KEY = re.compile(r"^[/\w.\- ]+$")
ALIAS = re.compile(r"^[\w\-]*$")
STATUSES = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"}


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.status = code, status


def wrong(message):
    return Refused("INVALID_PARAMETER_VALUE", message)


def missing(message):
    return Refused("RESOURCE_DOES_NOT_EXIST", message, 404)


def text(body, key, most=None):
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise wrong(f"Missing value for required parameter '{key}'.")
    if most and len(value) > most:
        raise wrong(f"'{key}' exceeds the maximum length of {most} characters")
    return value


def check_key(name):
    if not name or len(name) > 250 or not KEY.match(name):
        raise wrong(f"Invalid name: '{name}'")
    normal = posixpath.normpath(name)
    if normal != name or normal.startswith(("/", "..")) or normal == ".":
        raise wrong(f"Invalid name: '{name}' is no path in its shortest form")


class Server:
    def __init__(self):
        self.lock = threading.Lock()
        self.experiments, self.runs, self.models, self.log = [], [], {}, []

    def run(self, body):
        for run in self.runs:
            if run["info"]["run_id"] == text(body, "run_id"):
                return run
        raise missing("Run not found")

    # -- experiments and runs
    def experiments_get_by_name(self, body):
        name = text(body, "experiment_name")
        for each in self.experiments:
            if each["name"] == name:
                return {"experiment": each}
        raise missing(f"Could not find experiment with name '{name}'")

    def experiments_create(self, body):
        name = text(body, "name", 500)
        if any(each["name"] == name for each in self.experiments):
            raise Refused("RESOURCE_ALREADY_EXISTS", f"Experiment(name={name}) already exists.")
        self.experiments.append({"experiment_id": str(len(self.experiments) + 1), "name": name, "lifecycle_stage": "active"})
        return {"experiment_id": self.experiments[-1]["experiment_id"]}

    def runs_create(self, body):
        experiment = text(body, "experiment_id")
        if not any(each["experiment_id"] == experiment for each in self.experiments):
            raise missing("No such experiment")
        run = {
            "info": {
                "run_id": f"{len(self.runs) + 1:032x}",
                "experiment_id": experiment,
                "run_name": body.get("run_name", ""),
                "status": "RUNNING",
                "start_time": int(body.get("start_time", 0)),
                "lifecycle_stage": "active",
            },
            "data": {"tags": [], "params": [], "metrics": []},
            "inputs": {"dataset_inputs": []},
        }
        self.set_tags(run, body.get("tags", []))
        self.runs.append(run)
        return {"run": run}

    def runs_search(self, body):
        wanted = re.fullmatch(r"tags\.`([^`]+)` = '([^']*)'", text(body, "filter"))
        if not wanted:
            raise wrong("Invalid filter")
        tag = {"key": wanted[1], "value": wanted[2]}
        found = [
            run
            for run in reversed(self.runs)
            if run["info"]["experiment_id"] in body["experiment_ids"]
            and run["info"]["lifecycle_stage"] == "active"
            and tag in run["data"]["tags"]
        ]
        return {"runs": found[: int(body.get("max_results", 1000))]} if found else {}

    def runs_delete(self, body):
        self.run(body)["info"]["lifecycle_stage"] = "deleted"
        return {}

    def runs_update(self, body):
        info = self.run(body)["info"]
        if body.get("status") not in STATUSES:
            raise wrong("Invalid status")
        info["status"], info["end_time"] = body["status"], int(body["end_time"])
        return {"run_info": info}

    def set_tags(self, run, tags):
        for tag in tags:
            check_key(text(tag, "key"))
            if len(tag["value"]) > 5000:
                raise wrong("Tag value exceeds the maximum length of 5000 characters")
            run["data"]["tags"] = [each for each in run["data"]["tags"] if each["key"] != tag["key"]] + [tag]

    def runs_log_batch(self, body):
        run = self.run(body)
        metrics, params, tags = (body.get(key, []) for key in ("metrics", "params", "tags"))
        for what, items, most in (("metrics", metrics, 1000), ("params", params, 100), ("tags", tags, 100)):
            if len(items) > most:
                raise wrong(f"A batch logging request can contain at most {most} {what}. Got {len(items)} {what}.")
        if len(metrics) + len(params) + len(tags) > 1000:
            raise wrong("A batch logging request can contain at most 1000 metrics, params, and tags in total.")
        for param in params:
            check_key(text(param, "key"))
            if len(param["value"]) > 6000:
                raise wrong("Param value exceeds the maximum length of 6000 characters")
            for known in run["data"]["params"]:
                if known["key"] == param["key"] and known["value"] != param["value"]:
                    raise wrong(f"Changing param values is not allowed. Param with key='{param['key']}' was already logged")
            if param not in run["data"]["params"]:
                run["data"]["params"].append(param)
        for metric in metrics:
            check_key(text(metric, "key"))
            if not isinstance(metric["value"], (int, float)) or not isinstance(metric["timestamp"], int) or not isinstance(metric["step"], int):
                raise wrong("Got invalid value for metric")
            # As the stores with a database behind them do.
            if metric not in run["data"]["metrics"]:
                run["data"]["metrics"].append(metric)
        self.set_tags(run, tags)
        return {}

    def runs_log_inputs(self, body):
        run = self.run(body)
        for given in body["datasets"]:
            dataset = given["dataset"]
            text(dataset, "name", 500), text(dataset, "digest", 36), text(dataset, "source_type"), text(dataset, "source", 65535)
            if given not in run["inputs"]["dataset_inputs"]:
                run["inputs"]["dataset_inputs"].append(given)
        return {}

    # -- models
    def registered_models_create(self, body):
        name = text(body, "name")
        if "/" in name or ":" in name:
            raise wrong("Invalid model name")
        if name in self.models:
            raise Refused("RESOURCE_ALREADY_EXISTS", f"Registered Model (name={name}) already exists.")
        self.models[name] = {"versions": [], "aliases": {}}
        return {"registered_model": {"name": name}}

    def model(self, body):
        if text(body, "name") not in self.models:
            raise missing(f"Registered Model with name={body['name']} not found")
        return self.models[body["name"]]

    def model_versions_create(self, body):
        model = self.model(body)
        source = text(body, "source")
        if source.startswith(("/", "file:", ".")):
            raise wrong("Invalid model version source: must be in the run's artifact directory")
        version = {
            "name": body["name"],
            "version": str(len(model["versions"]) + 1),
            "source": source,
            "run_id": body.get("run_id", ""),
            "tags": body.get("tags", []),
        }
        model["versions"].append(version)
        return {"model_version": version}

    def model_versions_search(self, body):
        wanted = re.fullmatch(r"run_id = '([0-9a-f]+)'", text(body, "filter"))
        if not wanted:
            raise wrong("Invalid filter")
        found = [each for model in self.models.values() for each in model["versions"] if each["run_id"] == wanted[1]]
        return {"model_versions": found} if found else {}

    def registered_models_alias(self, body):
        model, alias = self.model(body), text(body, "alias", 255)
        if "version" not in body:
            if alias not in model["aliases"]:
                raise Refused("INVALID_PARAMETER_VALUE", f"Registered model alias {alias} not found.")
            return {"model_version": {"name": body["name"], "version": model["aliases"][alias]}}
        if not ALIAS.match(alias) or alias.lower() == "latest" or re.fullmatch(r"v\d+", alias.lower()):
            raise wrong(f"Invalid alias name: '{alias}'")
        model["aliases"][alias] = body["version"]
        return {}


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path in ("/state", "/log"):
            with SERVER.lock:
                state = {"experiments": SERVER.experiments, "runs": SERVER.runs, "models": SERVER.models}
                return self.answer(200, SERVER.log if url.path == "/log" else state)
        return self.serve(url.path, dict(urllib.parse.parse_qsl(url.query)))

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if size > 1_000_000:
            return self.answer(413, {"error_code": "INVALID_PARAMETER_VALUE", "message": "too large"})
        return self.serve(self.path, json.loads(body, parse_constant=lambda word: sys.exit(f"{word} in JSON")))

    def serve(self, path, body):
        if AUTHORIZATION and self.headers.get("Authorization") != AUTHORIZATION:
            return self.answer(401, {"error_code": "UNAUTHENTICATED", "message": "You are not authenticated."})
        call = path.removeprefix("/api/2.0/mlflow/")
        serve = getattr(SERVER, re.sub(r"[/-]", "_", call), None)
        if call == path or serve is None:
            return self.answer(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path})
        with SERVER.lock:
            SERVER.log.append(f"{self.command} {call}")
            try:
                status, answer = 200, serve(body)
            except Refused as refused:
                status, answer = refused.status, {"error_code": refused.code, "message": str(refused)}
        return self.answer(status, answer)

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


SERVER = Server()
AUTHORIZATION = None


def main():
    global AUTHORIZATION
    parser = argparse.ArgumentParser()
    parser.add_argument("--user")
    parser.add_argument("--token")
    given = parser.parse_args()
    if given.user:
        AUTHORIZATION = "Basic " + base64.b64encode(given.user.encode()).decode()
    if given.token:
        AUTHORIZATION = "Bearer " + given.token
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Request)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
