"""Against a real server on this machine that speaks OpenAI's protocol, badly where it is told to."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.endpoint import Client, Endpoint
from hornbook.generate.question import Question, Reply
from tests.corpus.scripted import reply

HOW = Sampling(temperature=0.0, seed=5)


class Server(ThreadingHTTPServer):
    """Does what stands in `faults` first, one a request, then answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[Any] = []
        self.seen: list[dict[str, Any]] = []
        self.refuses = b""  # what is said to whoever wants log-probabilities
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append({**body, "path": self.path, "key": self.headers.get("Authorization")})
        fault = self.server.faults.pop(0) if self.server.faults else None
        if self.server.refuses and "logprobs" in body:
            self.answer(400, self.server.refuses)
        elif fault == "hang up":
            self.close_connection = True
        elif fault == "slow":
            time.sleep(0.6)
        elif isinstance(fault, int):
            self.answer(fault, b'{"error": "no such model"}')
        else:
            self.answer(200, fault or self.text(body))

    def text(self, body: dict[str, Any]) -> bytes:
        if self.path == "/v1/completions":
            return json.dumps({"choices": [{"text": f"What is number {body['seed']}?"}]}).encode()
        said = reply(body["messages"][-1]["content"], body["seed"])
        return json.dumps({"choices": [{"message": {"role": "assistant", "content": said}}]}).encode()

    def answer(self, code: int, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,)).start()
        yield running
        running.shutdown()


def client(server: Server, **options: Any) -> Client:
    waits: list[float] = []
    made = Client(Endpoint(url=server.url, name="m", seconds=0.3, **options), "secret", waits.append)
    made.waits = waits  # type: ignore[attr-defined]
    return made


def test_questions_come_back_in_order_with_their_seeds(server: Server) -> None:
    texts = client(server).answers([f"q{i}" for i in range(20)], HOW)
    assert texts == [reply(f"q{i}", 5 + i) for i in range(20)]
    assert {(each["path"], each["model"], each["key"], each["temperature"]) for each in server.seen} == {
        ("/v1/chat/completions", "m", "Bearer secret", 0.0)
    }


def test_a_user_turn_goes_on_from_the_open_template(server: Server) -> None:
    assert client(server).user_turns(2, HOW) == ["What is number 5?", "What is number 6?"]
    assert (server.seen[0]["prompt"], server.seen[0]["stop"]) == ("<|im_start|>user\n", ["<|im_end|>"])


def test_what_may_pass_is_asked_again_and_counted(server: Server) -> None:
    server.faults = [
        503,
        429,
        b"<html>",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        "hang up",
        "slow",
    ]
    asked = client(server, attempts=8, parallel=1)
    assert asked.answers(["q"], HOW) == [reply("q", 5)]
    assert asked.waits == [1, 2, 4, 8, 16, 32, 60]  # type: ignore[attr-defined]
    assert asked.counts == {
        "requests": 8,
        "HTTP 503": 1,
        "HTTP 429": 1,
        "not an answer in OpenAI's form": 3,
        "broken off": 1,
        "slow": 1,
    }


def test_one_lost_answer_is_none_and_the_others_stay(server: Server) -> None:
    server.faults = [500, 500]
    assert client(server, attempts=2, parallel=1).answers(["q", "r"], HOW) == [None, reply("r", 6)]


def test_a_hopeless_endpoint_is_one_sentence(server: Server) -> None:
    server.faults = [500] * 4
    with pytest.raises(
        UserError, match=r"not one of 2 questions was answered \(4 times HTTP 500\); see to the endpoint"
    ):
        client(server, attempts=2).answers(["q", "r"], HOW)
    server.faults = [404]
    with pytest.raises(
        UserError, match=r'refuses with 404 Not Found \(\{"error": "no such model"\}\); see to url, name'
    ):
        client(server).answers(["q"], HOW)
    nobody = Client(Endpoint(url="http://127.0.0.1:1/v1", name="m", attempts=1), None, lambda _: None)
    with pytest.raises(UserError, match="1 times Connection refused"):
        nobody.answers(["q"], HOW)


def asked(*texts: str, weights: bool = False) -> list[Question]:
    return [Question(talk=({"role": "user", "content": t},), max_new_tokens=9, weights=weights) for t in texts]


def test_replies_are_told_one_by_one_and_lost_ones_are_none(server: Server) -> None:
    server.faults = [500, 500]
    told: list[tuple[int, Reply | None]] = []
    questions = asked("q", "r")
    found = client(server, attempts=2, parallel=1).reply_to(questions, lambda *each: told.append(each))
    assert found == [None, Reply(reply("r", questions[1].seed))]
    assert told == [(0, None), (1, found[1])]
    assert (server.seen[2]["seed"], server.seen[2]["max_tokens"]) == (questions[1].seed, 9)
    assert "logprobs" not in server.seen[2]


def test_first_tokens_come_with_a_reply_where_they_are_told(server: Server) -> None:
    tops = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.5}]
    choice = {"message": {"content": "A"}, "logprobs": {"content": [{"token": "A", "top_logprobs": tops}]}}
    server.faults = [json.dumps({"choices": [choice]}).encode()]
    [told, silent] = client(server, parallel=1).reply_to(asked("q", "r", weights=True))
    assert told == Reply("A", {"A": -0.1, "B": -2.5})
    assert silent is not None
    assert silent.first is None


def test_who_refuses_log_probabilities_is_asked_for_words(server: Server) -> None:
    server.refuses = b'{"error": "logprobs are not supported"}'
    [found] = client(server).reply_to(asked("q", weights=True))
    assert found == Reply(reply("q", asked("q")[0].seed))
    assert ["logprobs" in each for each in server.seen] == [True, False]
    server.refuses = b'{"error": "no"}'
    with pytest.raises(
        UserError, match=r'not one of 1 questions was answered \(1 times HTTP 400 \(\{"error": "no"\}\)\)'
    ):
        client(server).reply_to(asked("q", weights=True))


def test_one_question_may_be_refused_but_not_the_key(server: Server) -> None:
    server.faults = [400]
    asking = client(server, parallel=1)
    first, second = asking.reply_to(asked("much too long", "r"))
    assert first is None
    assert second is not None
    assert asking.counts == {"requests": 2, 'HTTP 400 ({"error": "no such model"})': 1}
    server.faults = [401]
    with pytest.raises(UserError, match="refuses with 401"):
        asking.reply_to(asked("q"))


@pytest.mark.parametrize("changes", [{"url": "localhost"}, {"parallel": 0}, {"attempts": 0}, {"seconds": 0}])
def test_values_that_ask_nothing_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(changes))}: "):
        Endpoint(**{"url": "http://a", "name": "m", **changes})
