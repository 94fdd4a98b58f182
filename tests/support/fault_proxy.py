#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands between an HTTP client and a real server, and does to chosen requests what networks and servers do to them.

    fault_proxy.py HOST:PORT [--listen PORT] [--control PORT]

Listens on two ports of this machine, free ones where none is named, forwards to HOST:PORT, and prints one line when it is
ready: "listening PORT control PORT". It ends when its standard input does, or by a signal. Nothing but HTTP/1.1 without
TLS; bodies with a Content-Length or chunked.

The control port speaks HTTP too:

    curl -d '[{"do": "status", "status": 503}]' http://127.0.0.1:CONTROL/    new faults instead of the old; forgets the log
    curl http://127.0.0.1:CONTROL/          what came since: [{"request": "PUT /b/k?x=1", "did": "status"}, …]

A fault is an object:

    "do"      what to do, see below
    "method"  for these requests only, as "PUT"; any otherwise
    "match"   for those only in whose "PATH?QUERY" this regular expression is found
    "after"   lets so many of those pass first; 0 otherwise
    "times"   how many of the next it happens to; 1 otherwise, -1 for all

    "status"         answers "status" (500) with "body" and "headers" instead of the server, which hears nothing
    "lose_answer"    the server gets the request; the client gets no answer, and the connection is closed
    "replace_answer" the server gets the request; the client gets "status", "body" and "headers"
    "close"          closes before the server hears anything
    "close_request"  closes both sides after "bytes" of the request's body
    "close_answer"   closes after "bytes" of the answer's body
    "truncate"       the answer ends after "bytes" of its body, and says that this is all
    "stall"          sends "bytes" of the answer's body, and no more for "seconds"; then closes
    "delay"          waits "seconds" before it forwards
    "flip_request"   turns the lowest bit of byte "bytes" of the request's body
    "flip_answer"    turns the lowest bit of byte "bytes" of the answer's body

The first fault that fits happens; one for each request.
"""

import argparse
import json
import re
import socket
import sys
import threading
import time

PIECE = 1 << 16


class Closed(Exception):
    """The other side is gone, or is to be."""


class Stream:
    """A socket that is read by lines and by counted bytes."""

    def __init__(self, connection):
        self.connection = connection
        self.held = b""

    def more(self):
        try:
            got = self.connection.recv(PIECE)
        except OSError as error:
            raise Closed from error
        if not got:
            raise Closed
        self.held += got

    def line(self):
        while b"\n" not in self.held:
            self.more()
        line, self.held = self.held.split(b"\n", 1)
        return line + b"\n"

    def some(self, most):
        if not self.held:
            self.more()
        got, self.held = self.held[:most], self.held[most:]
        return got

    def send(self, data):
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise Closed from error

    def close(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()


class Head:
    """The first line and the headers of a request or an answer."""

    def __init__(self, stream):
        self.first = stream.line()
        self.headers = []
        while True:
            line = stream.line()
            if line in (b"\r\n", b"\n"):
                break
            name, _, value = line.partition(b":")
            self.headers.append((name.decode("latin-1"), value.strip().decode("latin-1")))

    def get(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)

    def without(self, *names):
        self.headers = [(key, value) for key, value in self.headers if key.lower() not in names]

    def text(self):
        lines = "".join(f"{key}: {value}\r\n" for key, value in self.headers)
        return self.first + lines.encode("latin-1") + b"\r\n"


def body_of(head, stream, until_closed):
    """The pieces of a body, as they are; chunked ones with their frames."""
    if (head.get("transfer-encoding") or "").lower() == "chunked":
        while True:
            line = stream.line()
            yield line
            left = int(line.split(b";")[0], 16) + 2
            if left == 2:  # trailers, up to an empty line
                while line not in (b"\r\n", b"\n"):
                    line = stream.line()
                    yield line
                return
            while left > 0:
                piece = stream.some(left)
                left -= len(piece)
                yield piece
    elif head.get("content-length") is not None:
        left = int(head.get("content-length"))
        while left > 0:
            piece = stream.some(min(left, PIECE))
            left -= len(piece)
            yield piece
    elif until_closed:
        try:
            while True:
                yield stream.some(PIECE)
        except Closed:
            return


def flipped(pieces, at):
    """The pieces, with the lowest bit of one byte turned."""
    for piece in pieces:
        if 0 <= at < len(piece):
            piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
        at -= len(piece)
        yield piece


def first_of(pieces, most):
    for piece in pieces:
        if most <= 0:
            return
        yield piece[:most]
        most -= len(piece)


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.faults = []
        self.log = []

    def set(self, faults):
        with self.lock:
            self.faults = [dict(fault) for fault in faults]
            self.log = []

    def of(self, method, target):
        with self.lock:
            chosen = None
            for fault in self.faults:
                if fault.get("method", method) != method or not re.search(fault.get("match", ""), target):
                    continue
                if fault.get("after", 0) > 0:
                    fault["after"] -= 1
                elif chosen is None and fault.setdefault("times", 1) != 0:
                    fault["times"] -= 1
                    chosen = fault
            self.log.append({"request": f"{method} {target}", "did": chosen["do"] if chosen else "forward"})
            return chosen or {"do": "forward"}

    def text(self):
        with self.lock:
            return json.dumps(self.log)


def made_up(fault):
    body = fault.get("body", "").encode()
    headers = {"Content-Length": str(len(body)), **fault.get("headers", {})}
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return f"HTTP/1.1 {fault.get('status', 500)} Fault\r\n{lines}\r\n".encode() + body


def send_all(stream, pieces):
    for piece in pieces:
        stream.send(piece)


def forward(fault, head, client, server, method):
    """One request and its answer, with what happens to them."""
    does, count = fault["do"], fault.get("bytes", 0)
    head.without("expect")
    server.send(head.text())
    pieces = body_of(head, client, False)
    if does == "close_request":
        send_all(server, first_of(pieces, count))
        raise Closed
    send_all(server, flipped(pieces, count) if does == "flip_request" else pieces)
    answer = Head(server)
    while answer.first.split()[1].startswith(b"1"):
        answer = Head(server)
    bare = method == "HEAD" or answer.first.split()[1] in (b"204", b"304")
    pieces = iter(()) if bare else body_of(answer, server, True)
    if does == "lose_answer":
        raise Closed
    if does == "replace_answer":
        for _ in pieces:
            pass
        client.send(made_up(fault))
        return
    if does == "truncate" and not bare:
        body = b"".join(first_of(pieces, count))
        answer.without("content-length", "transfer-encoding")
        answer.headers.append(("Content-Length", str(len(body))))
        client.send(answer.text() + body)
        raise Closed
    client.send(answer.text())
    if does in ("close_answer", "stall"):
        send_all(client, first_of(pieces, count))
        if does == "stall":
            time.sleep(fault.get("seconds", 60))
        raise Closed
    send_all(client, flipped(pieces, count) if does == "flip_answer" else pieces)
    if not bare and answer.get("content-length") is None and answer.get("transfer-encoding") is None:
        raise Closed


def serve(connection, to, faults):
    client = Stream(connection)
    try:
        while True:
            head = Head(client)
            method, target = head.first.decode("latin-1").split()[:2]
            fault = faults.of(method, target)
            if fault["do"] == "close":
                raise Closed
            if (head.get("expect") or "").lower() == "100-continue":
                client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            if fault["do"] == "status":
                for _ in body_of(head, client, False):
                    pass
                client.send(made_up(fault))
                continue
            if fault["do"] == "delay":
                time.sleep(fault.get("seconds", 1))
            there = socket.create_connection(to)
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = Stream(there)
            try:
                forward(fault, head, client, server, method)
            finally:
                server.close()
    except (Closed, OSError, ValueError, IndexError):
        pass
    finally:
        client.close()


def control(connection, faults):
    stream = Stream(connection)
    try:
        head = Head(stream)
        body = b"".join(body_of(head, stream, False))
        try:
            if head.first.startswith(b"POST"):
                faults.set(json.loads(body))
            status, answer = "200 OK", faults.text().encode()
        except (ValueError, TypeError) as error:
            status, answer = "400 Bad Request", str(error).encode()
        stream.send(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
    except Closed:
        pass
    finally:
        stream.close()


def accept(listener, serves):
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serves, args=(connection,), daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description="an HTTP proxy that makes faults")
    parser.add_argument("to", metavar="HOST:PORT")
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    given = parser.parse_args()
    host, _, port = given.to.rpartition(":")
    faults = Faults()
    listener = socket.create_server(("127.0.0.1", given.listen), backlog=64)
    commands = socket.create_server(("127.0.0.1", given.control), backlog=16)
    for socket_, serves in (
        (listener, lambda connection: serve(connection, (host, int(port)), faults)),
        (commands, lambda connection: control(connection, faults)),
    ):
        threading.Thread(target=accept, args=(socket_, serves), daemon=True).start()
    print(f"listening {listener.getsockname()[1]} control {commands.getsockname()[1]}", flush=True)
    while sys.stdin.buffer.read(PIECE):
        pass


if __name__ == "__main__":
    main()
