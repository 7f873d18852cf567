"""The scores of a run: how well it compresses held-out text, and how often what it completes is Python."""

import random
from itertools import islice
from typing import Any

from hornbook.console import Console
from hornbook.core.files import read_json, write_json
from hornbook.core.run import Run
from hornbook.corpus.instruct import Row, pairs
from hornbook.corpus.stored import stored, texts
from hornbook.evaluate import by_source as sources
from hornbook.evaluate.completion import parse_rate
from hornbook.evaluate.compression import baselines, score, xz_that_has_read
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.stream import Options
from hornbook.measures import measure_task, task_line
from hornbook.settings import Evaluation, Recipe
from hornbook.tasks import RunningText
from hornbook.text.python import is_python

XZ_READS = 64_000_000  # bytes of training text that xz's dictionary can hold
EXAMPLES = 8  # completions that are kept to be looked at


def evaluate_run(recipe: Recipe, run: Run, console: Console) -> None:
    """Score the models of a run and write evaluate.json."""
    result = _text_scores(recipe, run, console) if isinstance(recipe.data, RunningText) else {}
    if not isinstance(recipe.data, RunningText) and (found := measure_task(recipe, run)):
        result["task"] = found
        console.note(task_line(found))
    write_json(run.evaluation, result)


def _text_scores(recipe: Recipe, run: Run, console: Console) -> dict[str, Any]:
    """Of a model that continues text: bits per byte beside the compressors, and completions."""
    settings = recipe.evaluate
    base = LanguageModel.load(run.model)
    assert base.tokenizer is not None
    held_out = list(islice(texts(run.corpus, "validation"), settings.documents))
    by_source = sources.held_out(run.corpus, most=settings.documents)
    result: dict[str, Any] = {}
    if held_out:
        found = score(base.module, base.tokenizer, held_out, length=recipe.data.length)
        result["compression"] = {
            "bits_per_byte": found.bits_per_byte,
            "interval": found.interval,
            "bytes": found.bytes,
            "documents": len(held_out),
            "baselines": _baselines(run, held_out),
        }
        console.note(compression_line(result["compression"]))
    if len(by_source) > 1:
        found_each = sources.score_each(base.module, base.tokenizer, by_source, length=recipe.data.length)
        result["sources"] = sources.plain(found_each)
        for source, each in result["sources"].items():
            console.note(source_line(source, each))
    if settings.completions:
        result["completions"] = _completions(settings, run, base, console)
    return result


def compression_line(found: dict[str, Any]) -> str:
    """One line for the terminal."""
    others = ", ".join(f"{name} {value:.3f}" for name, value in found["baselines"].items())
    low, high = found["interval"]
    return f"held out   {found['bits_per_byte']:.3f} bits per byte ({low:.3f} to {high:.3f}); {others}"


def source_line(source: str, found: dict[str, Any]) -> str:
    """One source's score for the terminal."""
    low, high = found["interval"]
    return f"held out   {found['value']:.3f} bits per byte ({low:.3f} to {high:.3f}) of {source}"


def _baselines(run: Run, held_out: list[str]) -> dict[str, float]:
    found = baselines(held_out)
    training = list(texts(run.corpus, "train"))
    if sum(len(text.encode()) for text in training) < XZ_READS:
        found["xz -9 that has read the training text"] = xz_that_has_read(training, held_out)
    return found


def _completions(settings: Evaluation, run: Run, base: LanguageModel, console: Console) -> list[dict[str, Any]]:
    """The parse rate after each stage, on the same held-out functions."""
    found = [row for row in pairs(stored(run.corpus, "validation")) if fits(row, base)]
    functions = random.Random(0).sample(found, min(settings.completions, len(found)))  # neighbours are alike
    if not functions:
        console.note("completed  left out: the held-out text has no short Python functions with a docstring")
        return []
    later = [name for name, entry in read_json(run.folder / "stages.json").items() if _writes(name, entry)]
    tuned = ((name, LanguageModel.load(run.stage(name).model)) for name in later)
    return [_completed(name, lm, functions, settings, console) for name, lm in (("pretrain", base), *tuned)]


def _writes(name: str, entry: dict[str, Any]) -> bool:
    """Whether a finished stage after the base left a model that writes."""
    return name != "pretrain" and entry.get("keeps") == "language model"


def fits(row: Row, lm: LanguageModel) -> bool:
    """Whether the head leaves half of the model's context to write in."""
    assert lm.tokenizer is not None
    return len(lm.tokenizer.encode(row["messages"][0]["content"])) <= lm.module.config.length // 2


def _completed(
    stage: str, lm: LanguageModel, functions: list[Row], settings: Evaluation, console: Console
) -> dict[str, Any]:
    """One model's completions of the functions' heads."""
    heads = [row["messages"][0]["content"] + "\n" for row in functions]
    writing: Options = {"max_new_tokens": settings.max_new_tokens, "temperature": settings.temperature, "seed": 0}

    def complete(prompts: list[str]) -> list[str]:
        if lm.chats:
            asked = [[{"role": "user", "content": prompt.rstrip("\n")}] for prompt in prompts]
            return lm.chat_batch(asked, **writing)
        return lm.generate(prompts, **writing)

    rate = parse_rate(heads, complete)
    low, high = rate.interval
    console.note(
        f"completed  {stage}: {rate.parsed} of {rate.trials} parse, {rate.share:.0%} ({low:.0%} to {high:.0%})"
    )
    examples = [
        {"prompt": head, "text": body, "parses": is_python(head, body)}
        for head, body in zip(heads, rate.completions, strict=True)
    ]
    best = next((example for example in examples if example["parses"]), examples[0])
    console.sampled([best])
    shown = {"parsed": rate.parsed, "trials": rate.trials, "share": rate.share, "interval": rate.interval}
    return {"stage": stage, **shown, "examples": examples[:EXAMPLES]}
