"""Stands for a language model: ``python model.py [port]``. It speaks the Chat Completions API, and knows one trick.

Asked by an agent it reads the last hour of the temperature in the kitchen, raises a message about it, and ends.
"""

from __future__ import annotations

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

READ = ("read_history", {"source": "device:kitchen", "metric": "temperature", "time_range": "1h", "aggregate": "max"})


def say(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The next message of the model, from what was said so far."""
    results = [message["content"] for message in messages if message["role"] == "tool"]
    if not results:
        return call(*READ)
    if len(results) == 1:
        return call("send_message", {"title": "The kitchen in the last hour", "message": f"I read: {results[0]}"})
    return {"role": "assistant", "content": "I looked at the last hour of the kitchen and told it."}


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": name, "type": "function", "function": function}],
    }


class Model(BaseHTTPRequestHandler):
    """One answer for each request."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = say(asked["messages"])
        reason = "tool_calls" if "tool_calls" in message else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        body = json.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=9910)
    ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Model).serve_forever()
