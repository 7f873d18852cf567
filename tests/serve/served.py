"""A real server process for the tests: tiny models of random weights behind `hornbook serve`."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.encoder import Encoder
from hornbook.model.models import Model
from hornbook.text import tokenizer as text
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

ENDLESS = {"logit_bias": {"322": -100, "323": -100, "324": -100}}  # no special token ends the writing
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXT = 'The small red fox and the old grey wolf ran over two green hills. 你好，世界！🌍 {"name": 3}\n'  # noqa: RUF001
HERMES = """{%- if tools %}
{{- '<|im_start|>system\\nTools: ' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] }}
{%- for call in message.tool_calls %}
{{- '<tool_call>' + ({'name': call.function.name, 'arguments': call.function.arguments} | tojson) + '</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}
"""
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat", "."]


def decoder(template: str | None, *, length: int = 1024, special: Sequence[str] = ()) -> LanguageModel:
    """A decoder of random weights, always the same."""
    tokenizer = BPE(vocab=420, split="gpt2", special=[*SPECIAL, *special]).train([TEXT] * 20, processes=1)
    config = recipe.load(Model, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}", f"length={length}"])
    torch.manual_seed(0)
    module = config.build().eval()
    return LanguageModel(module, tokenizer, None if template is None else Renderer(tokenizer, template))


def folders(where: Path) -> dict[str, Path]:
    """The models that the server of the tests has."""
    decoder("chatml").save(where / "chatty")
    decoder(HERMES).save(where / "caller")
    decoder(None).save(where / "plain")
    (where / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    reader = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={len(WORDS)}"])
    LanguageModel(reader.build(), text.load(where / "vocab.txt")).save(where / "reader")
    return {name: where / name for name in ("chatty", "caller", "plain", "reader")}


def whole(opened: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    with opened:
        return b"".join(iter(lambda: opened.recv(65536), b""))


class Server:
    """`hornbook serve` as a process on a free port."""

    def __init__(self, *words: str, **environment: str) -> None:
        command = [sys.executable, "-m", "hornbook", "serve", *words, "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        assert self.process.stdout is not None
        self.said = ""
        while True:
            line = self.process.stdout.readline()
            self.said += line
            if line.startswith("try: "):
                break
            assert line, f"the server ended: {self.said}{self.process.communicate()}"
        found = re.search(r"at (http://\S+)/v1;", self.said)
        assert found, self.said
        self.url = found[1]
        self.port = int(self.url.rpartition(":")[2])

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return self._ask(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """A body as JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        return self._ask(urllib.request.Request(self.url + path, data, headers))

    def stream(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The chunks of a stream; it must end in [DONE]."""
        data = json.dumps({**body, "stream": True}).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            lines = [line for line in answer.read().decode().split("\n\n") if line]
        assert lines.pop() == "data: [DONE]"
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = answer.read()
                return answer.status, json.loads(said) if "json" in answer.headers["Content-Type"] else said.decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def begin(self, path: str, body: dict[str, Any]) -> socket.socket:
        """A request whose answer is not waited for."""
        data = json.dumps(body).encode()
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
        )
        opened.sendall(head.encode() + b"\r\n\r\n" + data)
        return opened

    def gauge(self, name: str, model: str) -> float:
        """A number that an engine tells."""
        found = re.search(rf'^{name}{{model="{model}"}} (\S+)$', self.get("/metrics")[1], re.MULTILINE)
        assert found, name
        return float(found[1])

    def until(self, true: Any, seconds: float = 20) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.02)

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            output, errors = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        self.said += output
        assert not errors, errors
        return self.process.returncode
