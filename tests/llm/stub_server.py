"""A counting stand-in for a chat-completions server: errors, delays and half answers on demand.

For what no real server does when asked to: refuse keys, be busy, break off, be there when its client dies.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Seen:
    """What the server was asked: bodies of completions, headers of all requests, and how many came at once."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0
    url: str = ""

    @property
    def prompts(self) -> list[str]:
        return [body["messages"][0]["content"] for body in self.bodies]


def completion(text: Any, finish: str = "stop", usage: bool = True, **more: Any) -> Reply:
    """A chat completion; the prompt counts 7 tokens, the answer one per word."""
    counts = {"prompt_tokens": 7, "completion_tokens": len(str(text or "").split()), "total_tokens": 0}
    body = {
        "id": "c", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
        **({"usage": counts} if usage else {}), **more,
    }  # fmt: skip
    return 200, {}, json.dumps(body).encode()


def failure(status: int, message: str = "no", code: str | None = None, **headers: str) -> Reply:
    body = {"error": {"message": message, "type": "error", "code": code}}
    return status, headers, json.dumps(body).encode()


def echo(prompt: str, _number: int) -> Reply:
    """The usual reply: the prompt said back."""
    return completion(f"About {prompt}.")


class _Answering(BaseHTTPRequestHandler):
    """Sends a reply in two halves, and says nothing of clients that go away."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(
        self,
        status: int,
        headers: dict[str, str],
        body: bytes,
        halfway: Callable[[], None] = lambda: None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        halfway()
        self.wfile.write(body[len(body) // 2 :])

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client is gone
            self.close_connection = True


def _handler(
    seen: Seen,
    reply: Callable[[str, int], Reply],
    models: Callable[[], Reply],
    at: Callable[[str, int], None],
) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(_Answering):
        def do_GET(self) -> None:
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.answer(*models())

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            if len(sent) < int(self.headers["Content-Length"]):  # the client died while it asked
                self.close_connection = True
                return
            body = json.loads(sent)
            with lock:
                number = len(seen.bodies)
                seen.bodies.append(body)
                seen.headers.append({name.lower(): value for name, value in self.headers.items()})
                seen.waiting += 1
                seen.most_waiting = max(seen.most_waiting, seen.waiting)
            prompt = body["messages"][0]["content"]
            at("asked", number)
            answer = reply(prompt, number)
            with lock:
                seen.waiting -= 1
            self.answer(*answer, halfway=lambda: at("half", number))
            if answer[0] == 200:
                seen.answered.append(prompt)
            at("sent", number)

    return Handler


@contextmanager
def serving(
    reply: Callable[[str, int], Reply] = echo,
    models: Callable[[], Reply] = lambda: (200, {}, b'{"object": "list", "data": []}'),
    at: Callable[[str, int], None] = lambda _phase, _number: None,
) -> Iterator[Seen]:
    """Serve in threads of this process.

    Args:
        reply: the answer to a prompt; the number counts completions from 0.
        models: the answer to the question for the list of models.
        at: called when a completion is "asked", when "half" of its answer is sent, and when all is "sent".
    """
    seen = Seen()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(seen, reply, models, at))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def slowly(seconds: float) -> Callable[[str, int], Reply]:
    def reply(prompt: str, number: int) -> Reply:
        time.sleep(seconds)
        return echo(prompt, number)

    return reply
