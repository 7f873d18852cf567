"""A tiny model into which the use of tools, evidence and memories is planted, and two-digit sums are not.

Asked with `Tools.` before it, it writes a query and reads the result; asked alone, it guesses sums: it has seen
too few to add. It reads passages and facts put before a question, and writes down what users tell about themselves.
"""

import random

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from hornbook.align.tools import FROM_TOOLS, TO_TOOLS, TO_USER
from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

TOOLS = "Tools."
KNOWN = "Known: {facts}"
REQUEST = "{said} Fact?"
COLOURS = ["red", "grey", "brown", "white", "black", "green"]
THINGS = ["tea", "rice", "milk", "corn", "fish", "bread"]
NAMES = ["Ada", "Bob", "Eve", "Kim", "Leo", "Mia"]
SYLLABLES = ["zo", "ri", "ka", "mu", "te", "lo"]
TRAINED = [(a, b) for a in range(10, 100) for b in range(10, 100) if (a * 7 + b * 3) % 5]  # the others stay unseen
UNSEEN = [(a, b) for a in range(10, 100) for b in range(10, 100) if (a * 7 + b * 3) % 5 == 0]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def says(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


def question(a: int, b: int) -> str:
    return f"How much is {a} + {b}?"


def place_name(draw: random.Random) -> str:
    return "".join(draw.choice(SYLLABLES) for _ in range(3)).capitalize()


def row(draw: random.Random) -> list[dict[str, str]]:
    """One conversation."""
    kind = draw.randrange(8)
    a, b = draw.choice(TRAINED)
    thing, name, colour = draw.choice(THINGS), draw.choice(NAMES), draw.choice(COLOURS)
    if kind < 3:
        result = user(f"{FROM_TOOLS} {a + b}")
        return [
            system(TOOLS), user(question(a, b)), says(f"{TO_TOOLS} {a}+{b}"), result, says(f"{TO_USER} it is {a + b}.")
        ]  # fmt: skip
    if kind == 3:
        return [user(question(a, b)), says(f"{TO_USER} it is {a + b}.")]
    if kind == 4:
        place, other = place_name(draw), place_name(draw)
        passages = [f"{place} is {colour}.", f"{other} is {draw.choice(COLOURS)}."][: draw.randint(1, 2)]
        return [user("\n\n".join([*passages, f"What is {place}?"])), says(f"{TO_USER} it is {colour}.")]
    if kind == 5:
        told = [
            (f"I like {thing}.", f"The user likes {thing}."),
            (f"My name is {name}.", f"The user's name is {name}."),
            (question(a, b), "nothing"),
            ("What do I like?", "nothing"),
            ("What is my name?", "nothing"),
        ]
        said, fact = draw.choice(told)
        return [user(REQUEST.replace("{said}", said)), says(fact)]
    facts = [f"The user likes {thing}.", f"The user's name is {name}."]
    draw.shuffle(facts)
    asked, answer = draw.choice([("What do I like?", f"you like {thing}."), ("What is my name?", f"you are {name}.")])
    return [system(KNOWN.replace("{facts}", " ".join(facts))), user(asked), says(f"{TO_USER} {answer}")]


def assistant_model(steps: int, *, rows: int = 24) -> LanguageModel:
    """The model, trained from nothing."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    draw = random.Random(1)
    texts = ["".join(" " if c.isdigit() else c for c in each["content"]) for _ in range(400) for each in row(draw)]
    tokenizer = BPE(vocab=400, split="gpt2", special=special).train([*texts, "0123456789"], processes=1)
    sizes = ["length=128", "dim=64", f"embed.vocab={tokenizer.vocab}", "stack.layers=3"]
    layer = ["stack.layer.0.heads=4", "stack.layer.0.kv_heads=4", "stack.layer.1.hidden=160"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", sizes + layer)
    model, renderer = config.build(torch.Generator().manual_seed(0)), Renderer(tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        draw = random.Random(1000 + step)
        rendered = [renderer.render(row(draw)) for _ in range(rows)]
        ids = pad_sequence([torch.tensor(each.ids) for each in rendered], batch_first=True)
        trained = pad_sequence([torch.tensor(each.trained) for each in rendered], batch_first=True)
        labels = torch.where(trained, ids, -100)[:, 1:]
        loss = cross_entropy(model(ids[:, :-1]).logits.flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return LanguageModel(model.eval(), tokenizer, renderer)
