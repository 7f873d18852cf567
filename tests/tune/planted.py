"""A preference that was planted: answers must not contain one word. Its rows, and a base that says it half the time.

    python -m tests.tune.planted FOLDER     # FOLDER/base, a model of 0.1 M parameters; FOLDER/{pairs,judged}.jsonl

The true reward of a model is the share of its answers without the word, so whether learning worked can be counted.
"""

import json
import random
import sys
from pathlib import Path

import torch

from hornbook.core import recipe
from hornbook.core.run import Run
from hornbook.data.instruction import Instructions
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.objective.language import NextToken
from hornbook.optim.adamw import AdamW
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks
from tests.train.doubles import Ears

WORD = "grey"
ANIMALS = ("fox", "wolf", "hare", "owl", "crow", "toad", "newt", "mole")
WORDS = ("red", "small", "old", "brown", "quick", "quiet", "wide")


def prompt(draw: random.Random) -> str:
    """A question about an animal on a day."""
    return f"How was the {draw.choice(ANIMALS)} on day {draw.randrange(1000)}?"


def answer(draw: random.Random, *, word: bool | None = None) -> str:
    """Two to five words, of which one may be the word; None: it is in every second answer."""
    words = [draw.choice(WORDS) for _ in range(draw.randint(2, 5))]
    if draw.random() < 0.5 if word is None else word:
        words[draw.randrange(len(words))] = WORD
    return " ".join(words) + "."


def wanted(text: str) -> bool:
    """Whether an answer keeps to the rule."""
    return WORD not in text


def pairs(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Rows of prompt, chosen, rejected."""
    draw = random.Random(seed)
    return [
        {"prompt": prompt(draw), "chosen": answer(draw, word=False), "rejected": answer(draw, word=True)}
        for _ in range(count)
    ]


def judged(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Rows of prompt, completion, label."""
    draw = random.Random(seed)
    rows = [{"prompt": prompt(draw), "completion": answer(draw)} for _ in range(count)]
    return [{**row, "label": wanted(row["completion"])} for row in rows]


def write(rows: list[dict[str, object]], path: Path) -> Path:
    """As JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def questions(count: int, seed: int = 99) -> list[list[dict[str, str]]]:
    """Prompts that no rows have."""
    draw = random.Random(seed)
    return [[{"role": "user", "content": prompt(draw)}] for _ in range(count)]


def kept(model: LanguageModel, count: int = 200) -> int:
    """How many of `count` sampled answers keep to the rule."""
    texts = model.chat_batch(questions(count), max_new_tokens=24, temperature=1.0, seed=0)
    return sum(wanted(text) for text in texts)


def base(folder: Path, steps: int = 150) -> Path:
    """A model that answers as `answer` does."""
    draw = random.Random(0)
    talks = [(prompt(draw), answer(draw)) for _ in range(800)]
    tokenizer = BPE(vocab=400).train([f"{asked}\n{said}\n" for asked, said in talks])
    sizes = ["length=64", "dim=48", f"embed.vocab={tokenizer.vocab}", "stack.layers=2"]
    layer = ["stack.layer.0.heads=4", "stack.layer.0.kv_heads=2", "stack.layer.1.hidden=96"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", sizes + layer)
    model, renderer = config.build(torch.Generator().manual_seed(0)), Renderer(tokenizer, "chatml")
    rows = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}
        for asked, said in talks
    ]
    source = Instructions(length=256).build(rows, renderer, seed=0)
    train = Train(steps=steps, rows_per_step=8, optimizer=AdamW(lr=5e-3), save_every=1000)
    job = Job(model=model, objective=NextToken(), source=source)
    Trainer(train, job, Run(folder.with_name(f"{folder.name}-run")), listener=Ears(), ranks=Ranks()).fit()
    LanguageModel(model.eval(), tokenizer, renderer).save(folder)
    return folder


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    write(pairs(600), target / "pairs.jsonl")
    write(judged(900), target / "judged.jsonl")
    lm = LanguageModel.load(base(target / "base"))
    print(lm.chat_batch(questions(6), max_new_tokens=24, seed=0), kept(lm), "of 200")
