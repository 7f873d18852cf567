"""A real tiny model, with its template and without, and one behind a server that speaks OpenAI's protocol."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from hornbook.align.speaker import Local, Manner, Remote, likelihoods, shares, speaker
from hornbook.align.words import Words
from hornbook.core.errors import UserError
from hornbook.generate.endpoint import Client, Endpoint
from tests.tiny_chat import chat_model

TALKS = [[{"role": "user", "content": text}] for text in ("the cat", "the hat and the mat", "sat")]


@torch.no_grad()
def test_the_likelihood_of_an_option_is_that_of_its_tokens_one_by_one() -> None:
    lm = chat_model()
    pairs = [
        (lm.ids("the cat sat"), lm.ids(" on the mat")),
        (lm.ids("the"), lm.ids(" hat")),
        (lm.ids("a"), lm.ids("b")),
    ]
    for (before, after), found in zip(pairs, likelihoods(lm, pairs), strict=True):
        expected = 0.0
        for place, token in enumerate(after):
            logits = lm.module(torch.tensor([[*before, *after[:place]]])).logits[0, -1]
            expected += float(logits.log_softmax(-1)[token])
        assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("template", [True, False])
def test_shares_add_up_and_follow_the_likelihoods(template: bool) -> None:
    lm = chat_model()
    if not template:
        lm.renderer = None
    found = Local(lm).weigh(TALKS, ["The answer is: ("] * 3, ["A", "B"])
    assert all(row is not None and sum(row) == pytest.approx(1) for row in found)
    text = "\n\nHuman: the cat\n\nAssistant: The answer is: ("
    before = lm.ids(text) if not template else [*lm.renderer.prompt(TALKS[0]), *lm.tokenizer.encode("The answer is: (")]
    a, b = likelihoods(lm, [(before, lm.tokenizer.encode(letter)) for letter in "AB"])
    assert found[0] == pytest.approx([1 / (1 + math.exp(b - a)), 1 / (1 + math.exp(a - b))])


@pytest.mark.parametrize("template", [True, False])
def test_answers_draw_by_the_seed_and_their_place(template: bool) -> None:
    lm = chat_model()
    if not template:
        lm.renderer = None
    how = Manner(max_new_tokens=12)
    three = Local(lm).answers(TALKS, how.sampling(5))
    assert three == Local(lm).answers(TALKS, how.sampling(5))
    assert three[1:] == Local(lm).answers(TALKS[1:], how.sampling(6))
    assert three != Local(lm).answers(TALKS, how.sampling(50))


def test_a_base_model_stops_where_somebody_else_speaks() -> None:
    lm = chat_model()
    lm.renderer = None
    heard = {}

    def generate(texts, **how):
        heard.update(texts=texts, **how)
        return ["  hello "]

    lm.generate = generate
    words = Words(human="用户", assistant="助手")
    assert Local(lm, words=words).answers(TALKS[:1], Manner().sampling(0), voice="Critique") == ["hello"]
    assert heard["texts"] == ["\n\n用户: the cat\n\nCritique:"]
    assert {"\n\n用户:", "\n\n助手:", "\n\nCritiqueRequest:"} <= set(heard["stop"])


def test_what_is_too_long_to_be_read_is_left_out_and_changes_nothing_else() -> None:
    local, how = Local(chat_model()), Manner(max_new_tokens=8).sampling(5)
    long = [{"role": "user", "content": "the cat " * 200}]
    one, none, other = local.answers([TALKS[0], long, TALKS[2]], how)
    assert none is None
    assert [one, other] == local.answers(TALKS, how)[::2]
    shares_of = local.weigh([TALKS[0], long], ["("] * 2, ["A", "B"])
    assert shares_of == [*local.weigh(TALKS[:1], ["("], ["A", "B"]), None]
    with pytest.raises(UserError, match=r"model: is asked \d+ tokens or more and sees 96; shorten the texts"):
        local.weigh([long], ["("], ["A", "B"])
    with pytest.raises(UserError, match="sees 96"):
        local.answers([long], how)


class Handler(BaseHTTPRequestHandler):
    """A server whose answers a real tiny model writes."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(body)  # type: ignore[attr-defined]
        said = self.server.lm.chat(body["messages"], max_new_tokens=8, temperature=0.0)  # type: ignore[attr-defined]
        choice = {"message": {"role": "assistant", "content": said}}
        if body.get("logprobs") and self.server.tells:  # type: ignore[attr-defined]
            top = [{"token": "(B", "logprob": math.log(0.6)}, {"token": " A", "logprob": math.log(0.2)}]
            choice["logprobs"] = {"content": [{"top_logprobs": top}]}
        content = json.dumps({"choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.lm, running.seen, running.tells = chat_model(), [], True  # type: ignore[attr-defined]
        threading.Thread(target=running.serve_forever, args=(0.01,)).start()
        yield running
        running.shutdown()


def test_an_endpoint_is_asked_alike(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    url = f"http://127.0.0.1:{server.server_port}/v1"
    asked = speaker(Endpoint(url=url, name="m", parallel=1, key=str(tmp_path / "key")), Words())
    assert isinstance(asked, Remote)
    assert (asked.name, asked.client.key) == ("m", "secret")
    named = [{"role": "user", "name": "CritiqueRequest", "content": "the cat"}]
    (said,) = asked.answers([named], Manner(max_new_tokens=8).sampling(3), voice="Critique")
    assert said == server.lm.chat(TALKS[0], max_new_tokens=8, temperature=0.0)  # type: ignore[attr-defined]
    assert asked.weigh(TALKS[:1], ["The answer is: ("], ["A", "B"]) == [pytest.approx([0.25, 0.75])]
    first, last = server.seen[0], server.seen[-1]  # type: ignore[attr-defined]
    assert first["messages"] == TALKS[0]
    assert first["seed"] == 3
    assert (last["max_tokens"], last["top_logprobs"]) == (1, 20)
    assert last["messages"][0]["content"].endswith("Answer with A or B and nothing else. The answer is: (")


def test_an_endpoint_that_tells_no_probabilities_cannot_judge(server: ThreadingHTTPServer) -> None:
    server.tells = False  # type: ignore[attr-defined]
    client = Client(Endpoint(url=f"http://127.0.0.1:{server.server_port}/v1", name="m"))
    with pytest.raises(UserError, match="the endpoint tells no `logprobs`, by which a judge is read"):
        Remote(client).weigh(TALKS[:1], ["("], ["A", "B"])


def test_first_tokens_that_are_no_option_say_nothing() -> None:
    assert shares({"The": -0.1}, ["A", "B"]) is None
    assert shares(None, ["A", "B"]) is None
    assert shares({"Yes": math.log(0.5), "no": math.log(0.25)}, ["yes", "no"]) == pytest.approx([2 / 3, 1 / 3])
