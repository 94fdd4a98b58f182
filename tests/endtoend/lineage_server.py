#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that takes OpenLineage events, for tests.

    lineage_server.py FOLDER

Listens on a free port of this machine and writes it to FOLDER/port. What FOLDER/mode says decides about each request: `take` appends the body
as a line to FOLDER/received.jsonl, `fail` answers 503, `refuse` 422, `hang` never answers, `cut` closes. Every request adds its path to
FOLDER/asked. Ends by itself after two minutes.
"""

import http.server
import os
import pathlib
import sys
import threading
import time

FOLDER = pathlib.Path(sys.argv[1])
LIFE = 120


class LineageRequest(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        mode = (FOLDER / "mode").read_text().strip()
        with (FOLDER / "asked").open("a") as asked:
            asked.write(f"{self.path} {self.headers['Content-Type']}\n")
        if mode == "hang":
            time.sleep(LIFE)
        if mode in ("hang", "cut"):
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if mode == "take":
            with (FOLDER / "received.jsonl").open("ab") as received:
                received.write(body + b"\n")
        status, words = {"take": (201, b""), "fail": (503, b"not now"), "refuse": (422, b"no such\x1b[31m facet")}[mode]
        self.send_response(status)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), LineageRequest)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (FOLDER / "port.new").write_text(str(server.server_address[1]))
    os.rename(FOLDER / "port.new", FOLDER / "port")
    time.sleep(LIFE)


if __name__ == "__main__":
    main()
