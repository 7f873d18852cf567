"""A tiny model into which manners are planted: it knows some facts, says them rudely, and can tell and mend rudeness.

Nothing here is learned from people. A base model of 135 M parameters or more has seen critiques and revisions in its
texts; this one of 0.2 M has seen generated ones: an answer (rude four times in five), "what is rude about it?", "say it
again politely", "which of two is politer?" and "is it rude?". Whether the stages then make it polite is the test.
"""

import random
from functools import cache
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from hornbook.align.rules import Rules
from hornbook.align.transcript import transcript
from hornbook.align.words import fill
from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

ANIMALS = ["fox", "wolf", "hen", "cow", "goat", "bear", "duck", "frog", "crab", "swan", "mole", "hare"]
FACTS = {
    "colour": ["red", "grey", "brown", "white", "black", "green"],
    "size": ["big", "small", "tiny", "huge"],
    "home": ["hill", "lake", "wood", "field"],
}
FORMS = ("What is the {what} of the {animal}?", "Tell me the {what} of the {animal}.", "The {animal} has what {what}?")
RUDE = ("The darn {animal} is {fact}.", "The {animal} is {fact}, darn it.", "Darn, the {animal} is {fact}.")
POLITE = "The {animal} is {fact}."
SHARE = 0.8  # of its answers are rude

RULES = """
rules:
  - name: polite
    principle: No rude words.
    critique: What is rude?
    revision: Say it politely.
    choose: Which is polite?
    question: Is it rude?
    pattern: (?i)\\bdarn\\b
    examples:
      - {prompt: "What is the size of the fox?", answer: "Darn, the fox is big.", breaks: true}
      - {prompt: "What is the size of the fox?", answer: "The fox is big.", breaks: false}
words:
  compare: "{conversation}\\n{choose}\\n(A) {a}\\n(B) {b}"
  ask: "{conversation}\\n{question}"
"""


def write_rules(folder: Path) -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    return path


def facts() -> list[dict[str, str]]:
    """What there is to know: {"animal", "what", "fact"}."""
    draw = random.Random(0)
    return [{"animal": a, "what": what, "fact": draw.choice(values)} for a in ANIMALS for what, values in FACTS.items()]


def prompts() -> list[str]:
    return [form.format(**fact) for fact in facts() for form in FORMS]


def polite(fact: dict[str, str]) -> str:
    return POLITE.format(**fact)


def planted_rows(rules: Rules, count: int, seed: int) -> list[list[dict[str, str]]]:
    """Conversations that plant the manners; a rule's own texts are what the model is asked with."""
    (rule,), words, draw, known = rules.rules, rules.words, random.Random(seed), facts()

    def user(text: str) -> dict[str, str]:
        return {"role": "user", "content": text}

    def says(text: str) -> dict[str, str]:
        return {"role": "assistant", "content": text}

    def answer(fact: dict[str, str], share: float) -> tuple[str, bool]:
        rude = draw.random() < share
        return (draw.choice(RUDE).format(**fact), True) if rude else (polite(fact), False)

    rows = []
    for _ in range(count):
        fact = draw.choice(known)
        asked = user(draw.choice(FORMS).format(**fact))
        kind = draw.random()
        if kind < 0.45:
            said, rude = answer(fact, SHARE)
            critique = says("I said darn." if rude else "Nothing is rude.")
            rows.append([asked, says(said), user(rule.critique), critique, user(rule.revision), says(polite(fact))])
        elif kind < 0.85:
            (a, a_rude), (b, b_rude) = answer(fact, 0.5), answer(fact, 0.5)
            letter = draw.choice("AB") if a_rude == b_rude else "B" if a_rude else "A"
            text = fill(words.compare, conversation=transcript([asked], words).strip(), choose=rule.choose, a=a, b=b)
            rows.append([user(text), says(f"{words.verdict}{letter})")])
        else:
            said, rude = answer(fact, 0.5)
            talk = transcript([asked, says(said)], words).strip()
            text = fill(words.ask, conversation=talk, question=rule.question)
            rows.append([user(text), says(words.answer + (words.yes if rude else words.no))])
    return rows


@cache
def planted_model(rules: Rules, *, steps: int, rows: int) -> LanguageModel:
    """The model, trained from nothing, once a session."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    texts = [message["content"] for row in planted_rows(rules, 300, 1) for message in row]
    tokenizer = BPE(vocab=420, split="gpt2", special=special).train(texts, processes=1)
    sizes = ["length=192", "dim=64", f"embed.vocab={tokenizer.vocab}", "stack.layers=3"]
    layer = ["stack.layer.0.heads=4", "stack.layer.0.kv_heads=4", "stack.layer.1.hidden=160"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", sizes + layer)
    model = config.build(torch.Generator().manual_seed(0))
    renderer = Renderer(tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        rendered = [renderer.render(row) for row in planted_rows(rules, rows, 1000 + step)]
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
