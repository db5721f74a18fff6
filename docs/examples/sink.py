"""Prints what is posted to it: ``python sink.py [port] [--requests N]``. Stands for a service that is notified."""

from __future__ import annotations

import argparse
from http.server import BaseHTTPRequestHandler, HTTPServer


class Sink(BaseHTTPRequestHandler):
    """Takes everything."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(body.decode(), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """The bodies are all that is printed."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=9900)
    parser.add_argument("--requests", type=int, help="end after so many")
    given = parser.parse_args()
    server = HTTPServer(("127.0.0.1", given.port), Sink)
    left = given.requests
    while left is None or left > 0:
        server.handle_request()
        left = None if left is None else left - 1
