"""What serve.py and soak.py share: a server process on a free port, and a client that keeps up with many streams.

The client is asyncio's plain connections: nothing of another library's stands between the clock and the server.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TINY = ["length=1024", "dim=48", "stack.layers=2", "stack.layer.0.heads=4", "stack.layer.0.kv_heads=2"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXT = "The small red fox and the old grey wolf ran over two green hills. 你好，世界！🌍\n"  # noqa: RUF001


def model(folder: Path, *, tiny: bool) -> Path:
    """A chat model of random weights: SmolLM2-135M's shape, or next to nothing."""
    import torch

    from hornbook.core import recipe
    from hornbook.generate.language_model import LanguageModel
    from hornbook.model.decoder import Decoder
    from hornbook.text.bpe import BPE
    from hornbook.text.chat import Renderer

    tokenizer = BPE(vocab=420, split="gpt2", special=SPECIAL).train([TEXT] * 20, processes=1)
    name, sizes = ("models/llama-tiny", [*TINY, "stack.layer.1.hidden=96"]) if tiny else ("models/smollm2-135m", [])
    vocab = [f"embed.vocab={tokenizer.vocab}"] if tiny else []
    config: Decoder = recipe.load(Decoder, name, [*sizes, *vocab])
    built = config.build(torch.Generator().manual_seed(0)).eval()
    LanguageModel(built, tokenizer, Renderer(tokenizer)).save(folder / "served")
    return folder / "served"


class Server:
    """`hornbook serve` as a process; `with` ends it."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-m", "hornbook", "serve", *words, "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        found = re.search(r" at http://([\d.]+):(\d+)/v1;", said)
        if not found:
            raise SystemExit(f"the server did not begin: {said}")
        self.host, self.port = found[1], int(found[2])

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(120)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def metrics(self) -> dict[str, float]:
        """What /metrics says, by name, labels left out; of several the sum."""
        with urllib.request.urlopen(f"http://{self.host}:{self.port}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        found: dict[str, float] = {}
        for line in lines:
            if not line.startswith("#"):
                name, value = re.sub(r"\{.*\}", "", line).split()
                found[name] = found.get(name, 0.0) + float(value)
        return found


@dataclass
class Answer:
    """What came back, and when."""

    status: int = 0
    text: str = ""
    reason: str | None = None
    first: float = 0.0  # seconds to the first text
    seconds: float = 0.0  # to the end
    tokens: int = 0
    whole: bool = False  # the stream ended as it should, or the object was JSON
    body: Any = field(default=None, repr=False)


async def ask(server: Server, path: str, body: dict[str, Any] | bytes, *, leave_after: int | None = None) -> Answer:
    """One request on a connection of its own; `leave_after`: go away after so many pieces."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    answer = Answer()
    try:
        writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        await writer.drain()
        answer.status = int((await reader.readuntil(b"\r\n\r\n")).split(maxsplit=2)[1])
        if answer.status == 200 and b'"stream": true' in data:
            async for event in _events(reader):
                _take(answer, event, began)
                if leave_after is not None and answer.tokens >= leave_after:
                    return answer
        else:
            answer.body = json.loads(await reader.read())
            answer.whole = True
    finally:
        writer.close()
    answer.seconds = time.monotonic() - began
    return answer


def _take(answer: Answer, event: str, began: float) -> None:
    if event == "[DONE]":
        answer.whole = answer.reason is not None
        return
    chunk = json.loads(event)
    for choice in chunk.get("choices", []):
        text = choice.get("text") or choice.get("delta", {}).get("content") or ""
        answer.first = answer.first or (time.monotonic() - began if text else 0.0)
        answer.text, answer.reason = answer.text + text, choice["finish_reason"] or answer.reason
        answer.tokens += bool(text)
    if chunk.get("usage"):
        answer.tokens = chunk["usage"]["completion_tokens"]


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """The data of server-sent events out of HTTP's chunks."""
    held = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).strip() or b"0", 16)
        held += (await reader.readexactly(size + 2))[:-2]
        if not size:
            return
        *whole, held = held.split(b"\n\n")
        for event in whole:
            yield event.decode("utf-8").removeprefix("data: ")
