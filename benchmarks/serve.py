"""How soon does the first token come when 32 clients stream at once, and is anything lost or garbled?

first_p50, first_p95   seconds to the first text of 32 streams that begin together
tokens_per_second      of all streams together
alone                  tokens per second of one stream by itself; the rest is what continuous batching brings
wrong                  answers that are not what the same request gives by itself, or did not end (0)

python benchmarks/serve.py [--tiny] [--model PATH] [--streams 32] [--tokens 64] [--slots 8] [--quantise int8]
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from asking import Answer, Server, ask, model

CHECKED = 8  # streams whose text is compared with the same request asked alone
SENTENCE = "The small red fox and the old grey wolf ran over two green hills. "


def main() -> None:
    """Serve, ask, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--quantise", help="int8, int4 or bf16")
    given = parser.parse_args()
    if given.tiny:
        given.streams, given.tokens = 6, 8
    with tempfile.TemporaryDirectory() as name:
        path = given.model or str(model(Path(name), tiny=given.tiny))
        stored = ["--quantise", given.quantise] if given.quantise else []
        with Server(path, "--slots", str(given.slots), "--queue", str(4 * given.streams), *stored) as server:
            asyncio.run(measure(server, given.streams, given.tokens))


def request(number: int, tokens: int) -> dict[str, Any]:
    """Every stream its own prompt, length and seed."""
    prompt = f"{number}: " + SENTENCE * (1 + number % 4)
    how = {"max_tokens": tokens, "temperature": 0.8, "seed": number}
    return {"prompt": prompt, **how, "stream": True, "stream_options": {"include_usage": True}}


async def measure(server: Server, streams: int, tokens: int) -> None:
    """Alone, then all together, then some of them alone again."""
    path = "/v1/completions"
    await ask(server, path, request(0, tokens))  # warms up
    alone = await ask(server, path, request(1, tokens))
    began = time.monotonic()
    together = await asyncio.gather(*(ask(server, path, request(number, tokens)) for number in range(streams)))
    seconds = time.monotonic() - began
    again = [await ask(server, path, request(number, tokens)) for number in range(min(CHECKED, streams))]
    wrong = sum(not good(answer) for answer in together)
    wrong += sum(one.text != other.text for one, other in zip(together, again, strict=False))
    firsts = sorted(answer.first for answer in together)
    written = sum(answer.tokens for answer in together)
    print(f"{streams} streams, {written} tokens in {seconds:.1f} s; alone {alone.tokens / alone.seconds:.1f} tokens/s")
    print(f"figure first_p50 {quantiles(firsts, n=20)[9]:.3f}")
    print(f"figure first_p95 {quantiles(firsts, n=20)[18]:.3f}")
    print(f"figure tokens_per_second {written / seconds:.1f}")
    print(f"figure alone {alone.tokens / alone.seconds:.1f}")
    print(f"figure wrong {wrong}")


def good(answer: Answer) -> bool:
    """Whether a stream came whole."""
    return answer.status == 200 and answer.whole and answer.reason in ("stop", "length")


if __name__ == "__main__":
    main()
