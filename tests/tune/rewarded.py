"""Stages that learn from rewards, small enough for tests; `train` is what a process of its own runs.

python -c "from tests.tune.rewarded import train; train('run', 'base', 'rows.jsonl', 'grpo')"
"""

import json
import random
from pathlib import Path
from typing import Any

import torch

from hornbook.align.reward import Contains
from hornbook.data.conversations import Prompts
from hornbook.data.split import Split
from hornbook.objective.advantages import LeaveOneOut
from hornbook.objective.kl import Kl
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.train.parallel import ranks
from hornbook.tune.grpo import Grpo
from hornbook.tune.policy import Policy
from hornbook.tune.ppo import Ppo
from tests.train.doubles import Ears
from tests.tune.doubles import place_at
from tests.tune.planted import WORD, prompt

KEPT = Contains(words=(WORD,), wanted=False)  # the planted preference


def asked(path: Path, count: int = 60, seed: int = 5) -> Path:
    """A file of prompts, no two alike."""
    draw = random.Random(seed)
    texts = dict.fromkeys(prompt(draw) for _ in range(2 * count))
    path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in list(texts)[:count]))
    return path


def stage(kind: type[Policy], rows: Path, *, steps: int = 6, lr: float = 1e-3, **fields: Any) -> Any:
    """Three prompts and four texts a step, of eight tokens."""
    # with the usual epsilon a gradient of nothing but rounding would be a whole step
    train = Train(steps=steps, optimizer=AdamW(lr=lr, epsilon=1e-5), precision="fp32", **fields.pop("train", {}))
    sizes = {"prompts_per_step": 3, "samples_per_prompt": 4, "max_new_tokens": 8, "template": "chatml"}
    source = Prompts(source=str(rows), split=Split(train=0.6, validation=0.1))
    reward = fields.pop("reward", Contains(words=("e", "a"), wanted=True))
    return kind(prompts=source, reward=reward, train=train, **{**sizes, **fields})


STAGES: dict[str, Any] = {
    "grpo": lambda rows, **f: stage(Grpo, rows, updates_per_rollout=3, passes_per_rollout=3, **f),
    "rloo": lambda rows, **f: stage(Grpo, rows, method=LeaveOneOut(), **f),
    "ppo": lambda rows, **f: stage(Ppo, rows, updates_per_rollout=4, passes_per_rollout=2, kl=Kl(target=0.01), **f),
}


def train(folder: str, base: str, rows: str, name: str, steps: str = "16") -> None:
    """Train one of them to the end; under RANK and WORLD_SIZE one of several processes."""
    torch.set_num_threads(1)
    with ranks(1, []) as joined:
        config = STAGES[name](Path(rows), steps=int(steps), train={"save_every": 5, "micro_batch": 5})
        place = place_at(Path(folder), Path(base), ranks=joined)
        job = config.job(place)
        Trainer(config.train, job, place.run, listener=Ears(), ranks=joined).fit()
        if joined.first:
            job.save(place.run.model)
