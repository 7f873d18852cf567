"""OpenAI's API, asked of a real server process: the openai client, streams, wrong input, clients that go."""

import base64
import json
import math
import re
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import openai
import pytest
import torch

import hornbook
from hornbook.generate.asked import Here, ModelFolder
from hornbook.generate.endpoint import Client, Endpoint
from hornbook.generate.question import Question
from tests.serve.served import ENDLESS, Server

HELLO = [{"role": "user", "content": "你好"}]


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def greedy(models: dict[str, Path], name: str, prompt: str, tokens: int) -> str:
    return hornbook.load(models[name]).generate(prompt, max_new_tokens=tokens, temperature=0)


def test_models_are_listed_with_what_they_can(client: Any) -> None:
    cards = {card.id: card for card in client.models.list().data}
    assert list(cards) == ["chatty", "caller", "plain", "reader"]
    assert cards["chatty"].abilities == ["completions", "chat", "embeddings"]
    assert cards["plain"].abilities == ["completions", "embeddings"]
    assert cards["reader"].abilities == ["embeddings"]
    assert client.models.retrieve("chatty").max_model_len == 1024


def test_a_completion_is_what_the_model_writes_by_itself(client: Any, models: dict[str, Path]) -> None:
    done = client.completions.create(model="plain", prompt="The small", max_tokens=12, temperature=0)
    assert done.choices[0].text == greedy(models, "plain", "The small", 12)
    assert (done.usage.completion_tokens, done.choices[0].finish_reason) == (12, "length")
    assert done.object == "text_completion"


def test_a_chat_is_what_the_model_answers_by_itself(client: Any, models: dict[str, Path]) -> None:
    done = client.chat.completions.create(model="chatty", messages=HELLO, max_completion_tokens=9, temperature=0)
    alone = hornbook.load(models["chatty"]).chat(HELLO, max_new_tokens=9, temperature=0)
    assert done.choices[0].message.content == alone
    prompt = hornbook.load(models["chatty"]).renderer.prompt(HELLO)
    assert done.usage.prompt_tokens == len(prompt)
    assert done.usage.total_tokens == len(prompt) + done.usage.completion_tokens
    assert done.usage.prompt_tokens_details.cached_tokens >= 0


def test_a_stream_is_the_whole_in_pieces_with_its_usage(client: Any) -> None:
    how: dict[str, Any] = {"model": "chatty", "messages": HELLO, "max_tokens": 20, "temperature": 0.8, "seed": 5}
    whole = client.chat.completions.create(**how)
    pieces = list(client.chat.completions.create(**how, stream=True, stream_options={"include_usage": True}))
    assert pieces[0].choices[0].delta.role == "assistant"
    text = "".join(each.choices[0].delta.content or "" for each in pieces if each.choices)
    assert text == whole.choices[0].message.content
    assert pieces[-1].choices == []
    assert pieces[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert pieces[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert all(each.usage is None for each in pieces[:-1])
    assert len({each.id for each in pieces}) == 1


def test_the_same_seed_writes_the_same_and_n_answers_differ(client: Any) -> None:
    how: dict[str, Any] = {"model": "plain", "prompt": "fox", "max_tokens": 8, "seed": 3}
    several = client.completions.create(**how, n=2).choices
    assert [each.index for each in several] == [0, 1]
    assert several[0].text == client.completions.create(**how).choices[0].text
    assert several[0].text != several[1].text


def test_several_prompts_with_echo_and_ids(client: Any, models: dict[str, Path]) -> None:
    ids = hornbook.load(models["plain"]).tokenizer.encode("green")
    how: dict[str, Any] = {"model": "plain", "max_tokens": 4, "temperature": 0}
    done = client.completions.create(**how, prompt=["red", "green"], echo=True)
    assert [each.text for each in done.choices] == [
        text + greedy(models, "plain", text, 4) for text in ("red", "green")
    ]
    assert client.completions.create(**how, prompt=ids).choices[0].text == done.choices[1].text.removeprefix("green")


def test_log_probabilities_of_a_chat(client: Any) -> None:
    how: dict[str, Any] = {"model": "chatty", "messages": HELLO, "max_tokens": 6, "temperature": 0, **ENDLESS}
    done = client.chat.completions.create(**how, logprobs=True, top_logprobs=20)
    entries = done.choices[0].logprobs.content
    assert len(entries) == 6
    assert b"".join(bytes(each.bytes) for each in entries).decode("utf-8", "replace") == done.choices[0].message.content
    for each in entries:
        assert len(each.top_logprobs) == 20
        logs = [top.logprob for top in each.top_logprobs]
        assert logs == sorted(logs, reverse=True)
        assert sum(map(math.exp, logs)) <= 1 + 1e-4
    bare = client.chat.completions.create(**how, logprobs=True).choices[0].logprobs.content
    assert [each.top_logprobs for each in bare] == [[]] * 6


def test_log_probabilities_of_a_completion_stand_in_columns(client: Any) -> None:
    done = client.completions.create(model="plain", prompt="wolf", max_tokens=5, temperature=0, logprobs=3, **ENDLESS)
    logs = done.choices[0].logprobs
    assert len(logs.tokens) == len(logs.token_logprobs) == len(logs.top_logprobs) == 5
    assert logs.text_offset[0] == 0
    assert logs.text_offset == sorted(logs.text_offset)
    assert all(len(top) <= 3 for top in logs.top_logprobs)


def test_an_echo_tells_how_likely_the_prompt_was(client: Any, models: dict[str, Path]) -> None:
    lm = hornbook.load(models["plain"])
    ids = lm.tokenizer.encode("The small red fox and the old grey wolf")
    shares = lm.module(torch.tensor([ids])).logits[0].log_softmax(-1).detach()
    how: dict[str, Any] = {"model": "plain", "prompt": ids, "logprobs": 2, "echo": True, "temperature": 0}
    for tokens in (0, 4):  # the second time it is remembered, and read again all the same
        done = client.completions.create(**how, max_tokens=tokens)
        logs = done.choices[0].logprobs
        assert logs.token_logprobs[0] is logs.top_logprobs[0] is None
        wanted = [float(row[token]) for row, token in zip(shares, ids[1:], strict=False)]
        assert logs.token_logprobs[1 : len(ids)] == pytest.approx(wanted, abs=1e-4)
        assert [max(top.values()) for top in logs.top_logprobs[1 : len(ids)]] == pytest.approx(
            shares[:-1].max(-1).values.tolist(), abs=1e-4
        )
        assert len(logs.tokens) == len(logs.text_offset) == len(ids) + done.usage.completion_tokens
        assert "".join(logs.tokens) == done.choices[0].text
        assert done.choices[0].text[logs.text_offset[3] :].startswith(logs.tokens[3])
    pieces = [each.choices[0] for each in client.completions.create(**how, max_tokens=4, stream=True)]
    assert "".join(each.text for each in pieces) == done.choices[0].text
    columns = [each.logprobs for each in pieces if each.logprobs]
    assert [token for each in columns for token in each.tokens] == logs.tokens
    assert [offset for each in columns for offset in each.text_offset] == logs.text_offset


def test_the_best_of_several_is_the_likeliest(client: Any) -> None:
    how: dict[str, Any] = {"model": "plain", "prompt": "fox", "max_tokens": 8, "seed": 3, **ENDLESS}
    every = client.completions.create(**how, n=4, logprobs=0)
    order = sorted(every.choices, key=lambda each: -sum(each.logprobs.token_logprobs) / len(each.logprobs.tokens))
    best = client.completions.create(**how, best_of=4)
    assert [each.text for each in best.choices] == [order[0].text]
    assert best.choices[0].logprobs is None
    assert best.usage.completion_tokens == every.usage.completion_tokens, "what was written is counted"
    two = client.completions.create(**how, best_of=4, n=2)
    assert [(each.index, each.text) for each in two.choices] == [(0, order[0].text), (1, order[1].text)]


def test_streamed_log_probabilities_are_those_of_the_whole(server: Server) -> None:
    body = {"model": "chatty", "messages": HELLO, "max_tokens": 10, "seed": 1, "logprobs": True, "top_logprobs": 2}
    whole = server.post("/v1/chat/completions", body)[1]["choices"][0]["logprobs"]["content"]
    chunks = server.stream("/v1/chat/completions", body)
    parts = [part for chunk in chunks for part in (chunk["choices"][0]["logprobs"] or {"content": []})["content"]]
    assert [part["token"] for part in parts] == [part["token"] for part in whole]
    assert [part["logprob"] for part in parts] == pytest.approx([part["logprob"] for part in whole], abs=1e-4)


def test_stop_strings_end_the_answer_and_are_not_in_it(client: Any, models: dict[str, Path]) -> None:
    text = greedy(models, "plain", "The", 12)
    stop = text[4:6]
    done = client.completions.create(model="plain", prompt="The", max_tokens=12, temperature=0, stop=[stop, "zzz"])
    assert done.choices[0].text == text[: text.index(stop)]
    assert done.choices[0].finish_reason == "stop"


def test_chinese_and_emoji_come_whole(server: Server) -> None:
    said = "你好，世界！🌍👩‍👩‍👧 naïve"  # noqa: RUF001
    body = {"model": "chatty", "messages": HELLO, "choices": [said], "max_tokens": 200, "temperature": 0}
    chunks = server.stream("/v1/chat/completions", body)
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
    assert "".join(pieces) == said
    assert len(pieces) > 5
    assert not any("\ufffd" in piece for piece in pieces)


def test_the_form_of_an_answer_can_be_asked_for(client: Any, server: Server) -> None:
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 150}, "kind": {"enum": ["cat", "fox"]}},
        "required": ["age", "kind"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "animal", "schema": schema, "strict": True}}
    how: dict[str, Any] = {"model": "chatty", "messages": HELLO, "max_tokens": 400, "seed": 1, "temperature": 0.5}
    for seed in range(3):
        done = client.chat.completions.create(**{**how, "seed": seed}, response_format=form)
        if done.choices[0].finish_reason == "stop":
            found = json.loads(done.choices[0].message.content)
            assert found.keys() == {"age", "kind"}
            assert 0 <= found["age"] <= 150
    for extra, wanted in [({"regex": "[0-9]{4}-[0-9]{2}"}, r"\d{4}-\d\d"), ({"choices": ["yes", "no"]}, "yes|no")]:
        text = client.completions.create(model="plain", prompt="?", max_tokens=30, extra_body=extra).choices[0].text

        assert re.fullmatch(wanted, text)


def test_tools_stand_in_the_prompt_and_calls_are_taken_out(client: Any) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    call = '<tool_call>{"name": "weather", "arguments": {"city": "北京"}}</tool_call>'
    how: dict[str, Any] = {"model": "caller", "messages": HELLO, "tools": [tool], "max_tokens": 300}
    done = client.chat.completions.create(**how, extra_body={"choices": [call]}).choices[0]
    assert (done.finish_reason, done.message.content) == ("tool_calls", None)
    assert done.message.tool_calls[0].function.name == "weather"
    assert json.loads(done.message.tool_calls[0].function.arguments) == {"city": "北京"}
    pieces = list(client.chat.completions.create(**how, extra_body={"choices": [call]}, stream=True))
    calls = [each for piece in pieces for each in piece.choices[0].delta.tool_calls or []]
    assert [each.function.name for each in calls] == ["weather"]
    assert pieces[-1].choices[0].finish_reason == "tool_calls"
    answered = [*HELLO, done.message.model_dump(), {"role": "tool", "tool_call_id": "x", "content": "sunny"}]
    again = client.chat.completions.create(**{**how, "messages": answered, "max_tokens": 5})
    assert again.usage.prompt_tokens > done.index + 30


def test_vectors_are_those_of_the_model(client: Any, models: dict[str, Path], server: Server) -> None:
    wanted = hornbook.load(models["reader"]).embed(["a cat", "sat ."])
    done = client.embeddings.create(model="reader", input=["a cat", "sat ."])
    assert [each.embedding for each in done.data] == pytest.approx(wanted.numpy(), abs=1e-5)
    assert done.usage.prompt_tokens == 8
    packed = server.post("/v1/embeddings", {"model": "reader", "input": "a cat", "encoding_format": "base64"})[1]
    data = base64.b64decode(packed["data"][0]["embedding"])
    assert struct.unpack(f"<{len(data) // 4}f", data) == pytest.approx(wanted[0].tolist(), abs=1e-5)


CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
WRONG: list[tuple[str, Any, int, str, str]] = [
    (CHAT, {"messages": HELLO, "model": "nobody"}, 404, "model_not_found", "is not here; there is chatty"),
    (CHAT, {"messages": HELLO, "model": "plain"}, 400, "no_chat_template", "has no chat template"),
    (CHAT, {"messages": HELLO, "model": "reader"}, 400, "", "reads texts and writes none"),
    (TEXT, {"prompt": "a " * 3000, "model": "plain"}, 400, "context_length_exceeded", "window of 1024"),
    (TEXT, {"prompt": "x" * 1_000_000, "model": "plain"}, 400, "context_length_exceeded", "window of 1024"),
    (TEXT, {"prompt": "a", "model": "plain", "max_tokens": 0}, 400, "", "max_tokens: 0 writes nothing"),
    (CHAT, {"messages": HELLO, "max_tokens": 0}, 400, "", "max_tokens: Input should be greater"),
    (TEXT, {"prompt": "a", "model": "plain", "suffix": "b"}, 400, "", "has not learned to fill in"),
    (TEXT, {"prompt": "a", "best_of": 1, "n": 2}, 400, "", "best_of: of 1 answers 2 cannot be kept"),
    (TEXT, {"prompt": "a", "model": "plain", "max_tokens": 10**9}, 400, "", "more than the model's window"),
    (TEXT, {"prompt": "a", "stop": ["s"] * 10_000}, 400, "", "10000 stop strings are too many"),
    (TEXT, {"prompt": "a", "stop": [""]}, 400, "", "empty"),
    (TEXT, {"prompt": [7, 10**6], "model": "plain"}, 400, "", "is no token"),
    (TEXT, {"prompt": []}, 400, "", "empty"),
    (TEXT, {"prompt": "a", "top_p": 3}, 400, "", "top_p: 3.0 is not a share"),
    (TEXT, {"prompt": "a", "temperature": -1}, 400, "", "temperature: -1.0"),
    (TEXT, {"prompt": "a", "logit_bias": {"x": 1}}, 400, "", "no token id"),
    (TEXT, {"prompt": "a", "temprature": 1}, 400, "", "did you mean 'temperature'"),
    (TEXT, {"prompt": "a", "regex": "(("}, 400, "invalid_schema", "regex"),
    (CHAT, {"messages": HELLO, "response_format": {"type": "json_schema"}}, 400, "", "json_schema"),
    (
        CHAT,
        {"messages": HELLO, "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "colour"}}}},
        400,
        "invalid_schema",
        "response_format",
    ),
    (CHAT, {"messages": HELLO, "tools": [{"function": {"name": "f"}}]}, 400, "", "has no place for them"),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "", "send text"),
    (CHAT, {"messages": []}, 400, "", "messages"),
    (CHAT, {}, 400, "", "messages: Field required"),
    (CHAT, [1], 400, "", "must be a JSON object"),
    (CHAT, b"{nonsense", 400, "invalid_json", "not valid JSON"),
    (CHAT, b'{"messages": "\xff\xfe"}', 400, "invalid_json", "UTF-8"),
    (CHAT, b'{"messages": ' + b"[" * 100_000, 400, "invalid_json", "not valid"),
    (CHAT, b"x" * 4_000_001, 413, "body_too_large", "4,000,000"),
    ("/v1/embeddings", {"model": "reader", "input": []}, 400, "", "0 texts"),
    ("/v1/embeddings", {"model": "reader", "input": "a", "dimensions": 3}, 400, "", "dimensions"),
    ("/v1/embeddings", {"model": "reader", "input": "cat " * 5000}, 400, "context_length_exceeded", "reads"),
    ("/v1/nowhere", {}, 404, "not_found", "there is nothing here"),
    ("/v1/models", {}, 405, "method_not_allowed", "POST is not answered here"),
]


@pytest.mark.parametrize(("path", "body", "status", "code", "sentence"), WRONG, ids=lambda each: str(each)[:40])
def test_what_is_wrong_is_one_sentence_with_its_status(
    server: Server, path: str, body: Any, status: int, code: str, sentence: str
) -> None:
    found, answer = server.post(path, body)
    assert (found, set(answer["error"])) == (status, {"message", "type", "param", "code"}), answer
    assert sentence in answer["error"]["message"]
    assert (answer["error"]["code"] or "") == code
    assert server.get("/health") == (200, {"status": "ok"})


def test_a_body_that_is_not_called_json_is_refused(server: Server) -> None:
    """A web page elsewhere can send text without asking; JSON it cannot."""
    status, answer = server.post(CHAT, {"messages": HELLO}, **{"Content-Type": "text/plain"})
    assert (status, "Content-Type: application/json" in answer["error"]["message"]) == (400, True)


def test_half_a_character_does_no_harm(server: Server) -> None:
    half = "fox \ud83c"
    assert server.post(TEXT, {"prompt": half, "echo": True, "max_tokens": 1})[0] in (200, 400)
    assert server.post(CHAT, {"messages": [{"role": "user", "content": half}], "max_tokens": 1})[0] in (200, 400)
    assert server.post(TEXT, {"prompt": "a", "model": half})[0] == 404
    server.stream(TEXT, {"prompt": half, "echo": True, "max_tokens": 1})


def test_the_client_reads_our_errors(client: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="is not here"):
        client.chat.completions.create(model="nobody", messages=HELLO)
    with pytest.raises(openai.BadRequestError, match="window"):
        client.completions.create(model="plain", prompt="a " * 5000)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_frees_its_slot(server: Server, stream: bool) -> None:
    body = {"model": "chatty", "messages": HELLO, "max_tokens": 1000, "stream": stream, **ENDLESS}
    waiting = [server.begin(CHAT, body) for _ in range(3)]  # two write, one waits
    server.until(lambda: server.gauge("hornbook_engine_active", "chatty") == 2)
    if stream:
        assert waiting[0].recv(100).startswith(b"HTTP/1.1 200")
    for each in waiting:
        each.close()
    for gauge in ("hornbook_engine_active", "hornbook_engine_waiting", "hornbook_engine_active"):
        server.until(lambda gauge=gauge: server.gauge(gauge, "chatty") == 0, 5)
    server.until(lambda: server.gauge("hornbook_cancelled_total", "chatty") >= 3, 5)


def test_a_full_queue_says_when_to_come_back(server: Server) -> None:
    body = {"model": "plain", "prompt": "a", "max_tokens": 1000, **ENDLESS}
    waiting = [server.begin(TEXT, body) for _ in range(2)]
    server.until(lambda: server.gauge("hornbook_engine_active", "plain") == 2)
    waiting += [server.begin(TEXT, body) for _ in range(4)]
    server.until(lambda: server.gauge("hornbook_engine_waiting", "plain") == 4)
    refused = server.begin(TEXT, body)
    answer = refused.recv(2000).decode()
    assert answer.startswith("HTTP/1.1 429")
    assert "retry-after: 2" in answer.lower()
    for each in (*waiting, refused):
        each.close()
    server.until(lambda: server.gauge("hornbook_engine_active", "plain") == 0, 2)


def test_many_at_once_are_each_answered_as_alone(server: Server) -> None:
    bodies = [
        {
            "model": "chatty",
            "messages": [{"role": "user", "content": f"{number} fox"}],
            "max_tokens": 24,
            "seed": number,
        }
        for number in range(4)
    ]
    alone = [server.post(CHAT, body)[1]["choices"][0]["message"] for body in bodies]
    together: dict[int, Any] = {}

    def ask(number: int) -> None:
        together[number] = server.post(CHAT, bodies[number])[1]["choices"][0]["message"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(4)] == alone


def test_a_judge_is_asked_through_the_server(server: Server, models: dict[str, Path]) -> None:
    """The same words and the same first tokens as from the folder."""
    asked = Client(Endpoint(url=f"{server.url}/v1", name="chatty"))
    (first,) = asked.first_tokens([HELLO])
    assert first is not None
    assert len(first) == 20
    assert sum(map(math.exp, first.values())) <= 1.001
    question = Question(talk=tuple(HELLO), max_new_tokens=5, weights=True)
    (there,) = asked.reply_to([question])
    (here,) = Here(ModelFolder(path=str(models["chatty"]))).reply_to([question])
    assert there is not None
    assert here is not None
    assert there.text.startswith(here.text)
    assert there.first is not None
    assert here.first is not None
    shared = there.first.keys() & here.first.keys()
    assert max(here.first, key=lambda token: here.first[token]) in shared
    assert [there.first[token] for token in shared] == pytest.approx([here.first[token] for token in shared], abs=1e-4)


def test_a_connection_that_says_nothing_is_borne(server: Server) -> None:
    silent = socket.create_connection(("127.0.0.1", server.port))
    half = socket.create_connection(("127.0.0.1", server.port))
    half.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    assert server.get("/health")[0] == 200
    for each in (silent, half):
        each.close()


def test_metrics_are_told(server: Server) -> None:
    status, text = server.get("/metrics")
    assert status == 200
    for name in ("hornbook_requests_total", "hornbook_first_token_seconds_bucket", "process_resident_memory_bytes"):
        assert name in text
    assert server.gauge("hornbook_new_tokens_total", "chatty") > 0
