"""What a rollout is made of, and the folder it lies in until no optimizer step will ask for it again.

Steps that learn from a rollout after the first one need what the model of the first one wrote: a run that is killed
between them goes on from these files. Each process writes its prompts as one folder, which appears whole or not at
all; together they are the rollout, whoever reads them.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from hornbook.core.files import new_folder, read_json, write_json
from hornbook.core.run import Row
from hornbook.exchange.tensors import write

TENSORS, SAID = "tensors.safetensors", "said.json"


@dataclass
class Written:
    """Some texts that a policy wrote. Per text: (texts,); per token that it wrote: (tokens,), text after text."""

    ids: Tensor
    """Prompts and what was written, text after text."""
    prompt_tokens: Tensor
    new_tokens: Tensor
    """The token that ended a text included."""
    finished: Tensor
    """Whether a text came to its end by itself."""
    rewards: Tensor
    """float64; NaN where it could not be found and the text is to be left out."""
    old: Tensor
    """Log-probability of each token as it was drawn."""
    reference: Tensor
    """... and under the model that training began with; empty where nobody asks."""
    values: Tensor
    """What the critic expected; empty where there is none."""
    seconds: Tensor
    """(parts, 4): of generation, of the reference, of reading some texts again, of the rewards."""
    said: list[Row]
    """Per text: id, prompt, completion, parts of the reward."""

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def starts(self) -> Tensor:
        """(texts,): where each begins in what is per token."""
        return self.new_tokens.cumsum(0) - self.new_tokens

    def text(self, number: int) -> tuple[list[int], int]:
        """The ids of a text, prompt included, and the length of the prompt."""
        lengths = self.prompt_tokens + self.new_tokens
        first = int(lengths[:number].sum())
        return self.ids[first : first + int(lengths[number])].tolist(), int(self.prompt_tokens[number])

    def per_text(self, numbers: Tensor) -> Tensor:
        """Sums over the tokens of each text."""
        owner = torch.repeat_interleave(torch.arange(len(self)), self.new_tokens)
        return torch.zeros(len(self), dtype=torch.float64).index_add(0, owner, numbers.double())

    def save(self, folder: Path) -> None:
        """Write a folder, whole or not at all."""
        with new_folder(folder) as aside:
            write(self.tensors, aside / TENSORS)
            write_json(aside / SAID, self.said)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All but the words."""
        return {each.name: getattr(self, each.name).contiguous() for each in fields(self) if each.name != "said"}


def _read(folder: Path) -> Written:
    with safe_open(folder / TENSORS, framework="pt") as file:
        tensors: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
    return Written(**tensors, said=read_json(folder / SAID))


def _join(parts: Sequence[Written]) -> Written:
    names = parts[0].tensors
    joined: dict[str, Any] = {name: torch.cat([getattr(part, name) for part in parts]) for name in names}
    return Written(**joined, said=[row for part in parts for row in part.said])


@dataclass(frozen=True)
class Shelf:
    """The rollouts that are kept, in a folder."""

    folder: Path

    def part(self, number: int, prompts: range) -> Path:
        """Where the texts of some of a rollout's prompts lie."""
        return self.folder / f"{number:08d}-{prompts.start:05d}-{prompts.stop:05d}"

    def read(self, number: int, prompts: int) -> Written | None:
        """A whole rollout; None where a part is missing."""
        parts: list[Written] = []
        end = 0
        for path in sorted(self.folder.glob(f"{number:08d}-*")):
            first, last = (int(each) for each in path.name.split("-")[1:])
            if first != end:
                return None
            parts, end = [*parts, _read(path)], last
        return _join(parts) if parts and end == prompts else None

    def drop(self, number: int) -> None:
        """Forget a rollout."""
        for path in self.folder.glob(f"{number:08d}-*"):
            shutil.rmtree(path)

    def drop_before(self, number: int) -> None:
        """Forget all rollouts before one."""
        for path in sorted(self.folder.glob("[0-9]*-*-*")):
            if int(path.name.partition("-")[0]) < number:
                shutil.rmtree(path)
