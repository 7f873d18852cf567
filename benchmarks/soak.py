"""Minutes of mixed load on a server: chats, completions, JSON, vectors, clients that go, requests that are wrong.

requests    answered, by the right status each
lost        accepted requests that got no whole answer, and wrong ones that got another status than theirs (0)
stuck       slots and places in the queue that are still taken at the end, with nobody there (0)
memory      of the server, without its cache of prefixes, which has a bound of its own: in the last tenth of the time
            over that after the first fifth (1: flat)

python benchmarks/soak.py [--tiny] [--model PATH] [--minutes 30] [--clients 24]
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from asking import Server, ask, model

CHAT, TEXT, VECTORS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
HELLO = [{"role": "user", "content": "你好, who are you? 🌍"}]
WRONG: list[tuple[str, dict[str, Any] | bytes, int]] = [
    (CHAT, b"{nonsense", 400),
    (CHAT, b'{"messages": "\xff"}', 400),
    (CHAT, {"messages": []}, 400),
    (CHAT, {"messages": HELLO, "model": "nobody"}, 404),
    (TEXT, {"prompt": "x " * 20_000}, 400),
    (TEXT, {"prompt": "a", "max_tokens": 0}, 400),
    (TEXT, {"prompt": "a", "stop": ["s"] * 10_000}, 400),
    (TEXT, {"prompt": "a", "regex": "(("}, 400),
    (TEXT, b"x" * 4_100_000, 413),
    ("/v1/nowhere", {}, 404),
]
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
FORM = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}


class Soak:
    """Clients that ask and a watch on the server's memory."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server, self.until, self.seconds = server, time.monotonic() + seconds, seconds
        self.counts: Counter[str] = Counter()
        self.memory: list[float] = []  # bytes, without the cache of prefixes
        self.cache = 0.0  # bytes of that

    async def run(self, clients: int) -> None:
        """All clients until the time is over."""
        watching = asyncio.create_task(self._watch())
        await asyncio.gather(*(self._client(random.Random(number)) for number in range(clients)))
        await watching

    async def _client(self, dice: random.Random) -> None:
        kinds = [self._chat, self._text, self._json, self._leave, self._wrong, self._vectors]
        while time.monotonic() < self.until:
            kind = dice.choices(kinds, [4, 3, 1, 3, 3, 1])[0]
            try:
                good = await kind(dice)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                good = f"lost: {type(error).__name__}"
            self.counts[good] += 1
            self.counts["requests"] += 1
            if good == "busy":
                await asyncio.sleep(0.2)

    async def _chat(self, dice: random.Random) -> str:
        body = {"messages": HELLO, "max_tokens": dice.randint(1, 60), "stream": True, "logprobs": dice.random() < 0.3}
        return self._judged(await ask(self.server, CHAT, body))

    async def _text(self, dice: random.Random) -> str:
        body = {"prompt": "fox " * dice.randint(1, 150), "max_tokens": dice.randint(1, 60), "n": dice.randint(1, 2)}
        return self._judged(await ask(self.server, TEXT, {**body, "temperature": dice.choice([0, 1.2])}))

    async def _json(self, _: random.Random) -> str:
        return self._judged(
            await ask(self.server, CHAT, {"messages": HELLO, "max_tokens": 40, "response_format": FORM})
        )

    async def _vectors(self, dice: random.Random) -> str:
        return self._judged(await ask(self.server, VECTORS, {"input": ["a fox", "two"] * dice.randint(1, 8)}))

    async def _leave(self, dice: random.Random) -> str:
        body = {"messages": HELLO, "max_tokens": 400, "stream": True}
        answer = await ask(self.server, CHAT, body, leave_after=dice.randint(0, 30))
        return "busy" if answer.status == 429 else "left"

    async def _wrong(self, dice: random.Random) -> str:
        path, body, status = dice.choice(WRONG)
        answer = await ask(self.server, path, body)
        return "refused" if answer.status == status else f"lost: {status} became {answer.status}"

    def _judged(self, answer: Any) -> str:
        if answer.status == 429:
            return "busy"
        return "answered" if answer.status == 200 and answer.whole else f"lost: {answer.status}"

    async def _watch(self) -> None:
        while time.monotonic() < self.until:
            found = await asyncio.to_thread(self.server.metrics)
            self.cache = found["hornbook_engine_prefix_bytes"]
            self.memory.append(found["process_resident_memory_bytes"] - self.cache)
            await asyncio.sleep(min(1.0, self.seconds / 30))


def main() -> None:
    """Serve, soak, look what is left, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=24)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = given.model or str(model(Path(name), tiny=True))
        with Server(path, "--slots", "8", "--queue", "32") as server:
            soak = Soak(server, 60 * (0.1 if given.tiny else given.minutes))
            asyncio.run(soak.run(given.clients))
            time.sleep(2)  # seconds in which the last that left are noticed
            report(soak, server.metrics())


def report(soak: Soak, left: dict[str, float]) -> None:
    """What came of it."""
    for what, count in sorted(soak.counts.items()):
        print(f"{count:8} {what}")
    early, late = len(soak.memory) // 5, -max(1, len(soak.memory) // 10)
    after, last = median(soak.memory[early : 2 * early + 1]), median(soak.memory[late:])
    print(f"memory {after / 1e6:.0f} MB after a fifth of the time, {last / 1e6:.0f} MB at the end", end="")
    print(f", and {soak.cache / 1e6:.0f} MB of prefixes")
    print(f"figure requests {soak.counts['requests']}")
    print(f"figure lost {sum(count for what, count in soak.counts.items() if what.startswith('lost'))}")
    print(f"figure stuck {left['hornbook_engine_active'] + left['hornbook_engine_waiting']:.0f}")
    print(f"figure memory {last / after:.3f}")


if __name__ == "__main__":
    main()
