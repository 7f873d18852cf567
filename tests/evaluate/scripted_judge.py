"""A judge whose replies are a function of what it reads: for tests of what is made of replies."""

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hornbook.generate.question import Question, Reply, Told

Script = Callable[[str, int], str | Reply | None]  # of the question's text and the attempt


class ScriptedJudge:
    """Remembers what it was asked."""

    name = "scripted"

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Question] = []
        self.counts: dict[str, int] = {}

    def reply_to(self, questions: Sequence[Question], told: Told = lambda *_: None) -> list[Reply | None]:
        found = []
        for number, question in enumerate(questions):
            self.asked.append(question)
            said = self.script(question.talk[-1]["content"], question.attempt)
            found.append(Reply(said) if isinstance(said, str) else said)
            told(number, found[-1])
        return found


class ScriptedEndpoint:
    """The same behind a port of this machine, in OpenAI's form; a second try is known by its temperature."""

    def __init__(self, script: Script) -> None:
        self.judge = ScriptedJudge(script)
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                said = endpoint.judge.script(body["messages"][-1]["content"], int(body["temperature"] > 0))
                answer = json.dumps(_answer(said, weights="logprobs" in body)).encode()
                self.send_response(503 if said is None else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.by = f"http://127.0.0.1:{self.server.server_address[1]}/v1#scripted"

    def __enter__(self) -> "ScriptedEndpoint":
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _answer(said: str | Reply | None, *, weights: bool) -> dict[str, Any]:
    reply = said if isinstance(said, Reply) else Reply(said or "")
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": reply.text}, "finish_reason": "stop"}
    if weights and reply.first:
        tokens = [{"token": token, "logprob": log} for token, log in reply.first.items()]
        choice["logprobs"] = {"content": [{"token": reply.text, "top_logprobs": tokens}]}
    return {"choices": [choice]}
