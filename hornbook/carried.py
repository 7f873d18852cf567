"""Was a model carried over? What was written for another program is read there again, and the two are compared.

Twenty short prompts, in English, Chinese and code, are written on by the model itself, always the likeliest token.
Then the other program reads each whole text and says, at every place of the answer, which token it finds likeliest. The
share of places where both agree is what is told: 1 for ONNX, whose numbers are ours; less for llama.cpp, which rounds
vectors to 8 bits and weights as asked for.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from hornbook.core.errors import UserError
from hornbook.generate.engine import Writing, write
from hornbook.generate.sample import Sampling

if TYPE_CHECKING:
    from hornbook.generate.language_model import LanguageModel

PROMPTS = (
    "The", "Once upon a time", "In 1969,", "The capital of France is", "She opened the door and", "Dear Sir,",
    "Water boils at", "import os\n", "def add(a, b):", "for i in range(10):", "class Stack:", "SELECT name FROM",
    "床前明月光", "从前有一座山", "今天的天气", "北京是", "人工智能", "1 + 1 =", "A, B, C,", "- ",
)  # fmt: skip
NEW = 32  # tokens of each answer
TIE = 1e-4  # logits nearer than that to the likeliest one are as likely
LEAST = {"onnx": 1.0, "f32": 0.98, "f16": 0.98, "q8_0": 0.92, "q4_0": 0.5}  # see docs/elsewhere.md
Likeliest = Callable[[list[int]], list[int]]  # a text -> the likeliest next token after each of its tokens


@dataclass(frozen=True)
class Agreement:
    """In how many places both found the same token likeliest."""

    same: int
    places: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.same / self.places


def compare(lm: "LanguageModel", theirs: Likeliest) -> Agreement:
    """How far another program agrees with this model."""
    same = places = 0
    for prompt in PROMPTS:
        begin = lm.ids(prompt)
        text = begin + _written(lm, begin)
        with torch.inference_mode():
            logits = lm.module(torch.tensor([text])).logits[0].float()
        found = theirs(text)
        for place in range(len(begin) - 1, len(text) - 1):
            same += bool(logits[place].max() - logits[place][found[place]] < TIE)
            places += 1
    return Agreement(same, places)


def _written(lm: "LanguageModel", begin: list[int]) -> list[int]:
    """What the model itself writes; an end that comes at once does not end it."""
    writing = Writing(begin)
    for _ in write(lm.module, [writing], Sampling(temperature=0), replace(lm.limits(NEW), end=frozenset())):
        pass
    return writing.new


def in_onnxruntime(path: Path) -> Likeliest | None:
    """The file in onnxruntime, where that is installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def likeliest(ids: list[int]) -> list[int]:
        text = torch.tensor([ids])
        given = {"input_ids": text.numpy(), "attention_mask": torch.ones_like(text).numpy()}
        found: list[int] = torch.from_numpy(session.run(None, given)[0])[0].argmax(-1).tolist()
        return found

    return likeliest


def in_llama_cpp(path: Path) -> Likeliest | None:
    """The file in llama.cpp, where its Python package is installed."""
    if importlib.util.find_spec("llama_cpp") is None:
        return None
    model = importlib.import_module("llama_cpp").Llama(str(path), n_ctx=512, logits_all=True, verbose=False)

    def likeliest(ids: list[int]) -> list[int]:
        model.reset()
        model.eval(ids)
        found: list[int] = torch.from_numpy(model.scores[: len(ids)]).argmax(-1).tolist()
        return found

    return likeliest


def check(lm: "LanguageModel", path: Path, kind: str) -> str:
    """A sentence about the file; UserError, and no file, where the other program reads another model out of it."""
    name, opened = ("onnxruntime", in_onnxruntime) if kind == "onnx" else ("llama.cpp", in_llama_cpp)
    theirs = opened(path)
    if theirs is None:
        package = "onnxruntime" if kind == "onnx" else "llama-cpp-python"
        return f"not checked: {package} is not installed"
    found = compare(lm, theirs)
    told = f"{name} agrees on {found.same} of {found.places} greedy tokens of {len(PROMPTS)} prompts"
    if found.share >= LEAST[kind]:
        return told
    for file in (path, path.with_name(path.name + ".data")):
        file.unlink(missing_ok=True)
    raise UserError(
        f"{path}: {told}, and at least {LEAST[kind]:.0%} should be the same: the model was not carried over, the "
        "file is deleted; --no-check keeps it"
    )
