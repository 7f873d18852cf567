"""From the body of a completion to the engine's requests: texts that are gone on with, or filled in.

`suffix` is what shall stand behind the text that is written (Bavarian et al. 2022, section 3: the model has learned to
read prefix and suffix between marks and to write the middle behind them). Only models whose tokenizer has such marks
can do it. Left out: the order suffix before prefix (Codestral).
"""

from typing import Any

from hornbook.generate.serving import Request
from hornbook.serve.asking import Asked, Wanted, answers
from hornbook.serve.bodies import CompletionBody
from hornbook.serve.errors import Refused
from hornbook.serve.shelf import Served
from hornbook.text.tokenizer import Tokenizer

TOKENS = 16  # where max_tokens is not given: OpenAI's number
MARKS = (  # before the prefix, before the suffix, before the middle
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen 2.5 Coder, CodeGemma, GPT-4's tokenizer
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # noqa: RUF001 -- DeepSeek Coder
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),  # Code Llama
)
AFTER = ("<|fim_pad|>", "<|file_separator|>", "▁<EOT>")  # what some of them write behind the middle


def of_completion(body: CompletionBody, served: Served) -> Asked:
    """Each of the prompts, `n` times. The spelling of a special token in a prompt is the token, as in vLLM."""
    served.writer()
    given: Any = body.prompt
    prompts: list[Any] = [given] if isinstance(given, str) or (given and isinstance(given[0], int)) else given
    if not prompts:
        raise Refused("prompt: is empty; give a text", param="prompt")
    if served.lm.start is not None and (body.suffix or body.scored):
        raise Refused(
            f"model {served.name!r}: reads its prompt whole and answers it, so it neither fills in nor tells how "
            "likely the prompt is; leave out suffix, and echo with logprobs",
            param="suffix" if body.suffix else "echo",
        )
    read = [_ids(each, served) for each in prompts]
    shown = [_filled(ids, body.suffix, served) for ids in read] if body.suffix else read
    requests = [each for ids in shown for each in _requests(body, served, ids)]
    texts = [each if isinstance(each, str) else served.tokenizer.decode(each) for each in prompts if body.echo]
    kept, times = body.n or 1, body.best_of or body.n or 1
    return Asked(requests, sum(map(len, shown)), [text for text in texts for _ in range(times)], (kept, times))


def _requests(body: CompletionBody, served: Served, ids: list[int]) -> list[Request]:
    """The requests for one prompt."""
    kept, times = body.n or 1, body.best_of or body.n or 1
    return answers(
        body,
        served,
        Wanted(
            ids=ids,
            most=TOKENS if body.max_tokens is None else body.max_tokens,
            top=0 if body.top is None and times > kept else body.top,  # the best ones are the likeliest
            times=times,
            stop=(*(mark for marks in MARKS for mark in marks), *AFTER) if body.suffix else (),
            scored=body.scored,
        ),
    )


def _ids(prompt: str | list[int], served: Served) -> list[int]:
    tokenizer = served.tokenizer
    if isinstance(prompt, list):
        wrong = [token for token in prompt if not 0 <= token < tokenizer.vocab]
        if wrong or not prompt:
            raise Refused(
                f"prompt: {wrong[:1] or 'nothing'} is no token of this model's {tokenizer.vocab}", param="prompt"
            )
        return prompt
    if served.lm.start is not None:  # an encoder-decoder reads its prompt whole
        return served.lm.ids(prompt)
    begin, ids = served.lm.plain_ids(""), tokenizer.encode(prompt, special=True)
    return (ids if ids[: len(begin)] == begin else [*begin, *ids]) or [tokenizer.end]


def _filled(ids: list[int], suffix: str, served: Served) -> list[int]:
    """Prefix and suffix between marks, so that the middle comes next."""
    tokenizer, begin = served.tokenizer, served.lm.plain_ids("")
    for marks in MARKS:
        found = [_one(tokenizer, mark) for mark in marks]
        if all(found):
            before, between, behind = found
            text = ids[len(begin) :] if begin and ids[: len(begin)] == begin else ids
            return [*begin, *before, *text, *between, *tokenizer.encode(suffix, special=True), *behind]
    raise Refused(
        f"suffix: model {served.name!r} has not learned to fill in, its tokenizer has no token such as {MARKS[0][0]}; "
        "leave it out, or take a model of code that has",
        param="suffix",
    )


def _one(tokenizer: Tokenizer, mark: str) -> list[int]:
    """The token of a mark; none where it is not one. (Some tokenizers do not call it special.)"""
    ids = [tokenizer.special[mark]] if mark in tokenizer.special else tokenizer.encode(mark, special=True)
    return ids if len(ids) == 1 else []
