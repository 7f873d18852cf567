"""What does post-training cost? Instruction tuning beside TRL's SFTTrainer; LoRA, DPO and GRPO beside our own steps.

All have the same Llama in fp32, AdamW (fused), gradients clipped to 1, and the same made-up conversations, of which
only the answers are trained, packed into rows of the same length; TRL packs by best fit too. They take turns in one
process: A B C A B C ... A turn is an optimizer step and counts the CPU seconds of all threads. TRL is measured twice,
with all rows of a step at once and with one at a time, and the faster is the peer; gradient checkpointing is off.

    python benchmarks/finetune.py [--rounds 6] [--threads 1] [--only sft lora dpo grpo]

figure sft            tokens per CPU second of our stage `instruct` over TRL's
figure lora_step      time of a step with LoRA over one that trains everything (below 1: faster)
figure lora_memory    bytes of optimizer state with LoRA over those without
figure dpo_step       time of a DPO step over an SFT step, for the same number of tokens that are read
figure grpo_overhead  time of a GRPO step over that of its generation and its update alone
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from peers import Stepped
from plain import Ear

from hornbook.adapt.lora import Lora
from hornbook.core import recipe
from hornbook.core.run import Run, processor
from hornbook.data.batches import IGNORE
from hornbook.data.inputs import Conversations
from hornbook.data.split import Split
from hornbook.generate.language_model import LanguageModel
from hornbook.model.models import Model
from hornbook.optim.adamw import AdamW
from hornbook.optim.schedule import Constant
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks
from hornbook.train.stop import Stop
from hornbook.tune.instruct import Instruct
from hornbook.tune.place import Place

LR = 1e-4
ENOUGH = 1_000_000  # steps: no run is over while it is measured
CONVERSATIONS = 1200
PARTS = ("sft", "lora")
Step = Callable[[], float]


@dataclass(frozen=True)
class Size:
    """A model and its batch."""

    dim: int
    layers: int
    vocab: int
    length: int
    rows: int

    @property
    def changes(self) -> list[str]:
        """What makes the tiny Llama this one."""
        heads, hidden = max(2, self.dim // 64), self.dim * 8 // 3
        layer = [f"stack.layer.0.heads={heads}", f"stack.layer.0.kv_heads={heads}", f"stack.layer.1.hidden={hidden}"]
        sizes = [f"dim={self.dim}", f"stack.layers={self.layers}", f"length={self.length}"]
        return [*sizes, *layer]


USUAL = Size(dim=384, layers=6, vocab=8192, length=512, rows=4)
TINY = Size(dim=32, layers=1, vocab=400, length=64, rows=2)


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6, help="steps of each contestant (6)")
    parser.add_argument("--threads", type=int, default=1, help="1")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS, help=" ".join(PARTS))
    parser.add_argument("--tiny", action="store_true", help="two steps of a toy, to see that it runs")
    options = parser.parse_args()
    size = TINY if options.tiny else USUAL
    torch.set_num_threads(options.threads)
    print(f"{processor()}, torch {torch.__version__}, {options.threads} threads")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(size, Path(folder))
        steps = bench.contestants(options.only, stack)
        seconds = take_turns(steps, 2 if options.tiny else options.rounds)
        bench.say(seconds)


class Bench:
    """A base model, rows, and everybody who trains on them."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        rows = conversations(CONVERSATIONS // (10 if size is TINY else 1))
        self.rows = folder / "rows.jsonl"
        self.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
        words = [message["content"] for row in rows for message in row["messages"]]
        special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        tokenizer = BPE(vocab=size.vocab, split="gpt2", special=special).train(words, processes=1)
        config: Any = recipe.load(Model, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}", *size.changes])
        module = config.build(torch.Generator().manual_seed(0))
        self.parameters = sum(parameter.numel() for parameter in module.parameters())
        LanguageModel(module, tokenizer, Renderer(tokenizer)).save(folder / "base")
        self.trainers: dict[str, Trainer] = {}
        self.theirs = 0.0  # tokens in a row of TRL's

    def contestants(self, parts: list[str], stack: ExitStack) -> dict[str, Step]:
        """A step of each by name."""
        steps = {"instruct": self.ours("instruct", self.stage())}
        if "sft" in parts:
            for name, passes in (("trl", 1), ("trl, row by row", self.size.rows)):
                steps[name] = stack.enter_context(Stepped(self.trl(passes)))
        if "lora" in parts:
            steps["lora"] = self.ours("lora", self.stage(adapter=Lora(rank=16)))
        return steps

    def stage(self, **fields: Any) -> Instruct:
        """Instruction tuning as a recipe would say it."""
        train = Train(
            steps=ENOUGH, rows_per_step=self.size.rows, optimizer=AdamW(lr=LR), schedule=Constant(), threads=1
        )
        data = Conversations(source=str(self.rows), split=Split(train=1.0, validation=0.0))
        return Instruct(data=data, length=self.size.length, train=train, **fields)

    def ours(self, name: str, stage: Any) -> Step:
        """A step of the trainer. Its own `fit` would not let others take a turn."""
        place = Place(run=Run(self.folder / name), base=self.folder / "base")
        place.run.folder.mkdir()
        self.trainers[name] = Trainer(
            stage.train, stage.job(place), place.run, listener=Ear(), ranks=Ranks(), precision="fp32"
        )
        stop, trainer = Stop(), self.trainers[name]

        def step() -> float:
            trainer._step(stop)
            return trainer.listener.loss  # type: ignore[attr-defined]

        return step

    def trl(self, passes: int) -> Any:
        """TRL's trainer; a step is of the same rows, in so many passes."""
        from datasets import Dataset
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from trl import SFTConfig, SFTTrainer

        config = SFTConfig(
            output_dir=str(self.folder / f"trl{passes}"),
            packing=True,
            max_length=self.size.length,
            per_device_train_batch_size=self.size.rows // passes,
            gradient_accumulation_steps=passes,
            max_steps=ENOUGH,
            learning_rate=LR,
            lr_scheduler_type="constant",
            optim="adamw_torch_fused",
            activation_checkpointing=False,
            bf16=False,
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
            save_strategy="no",
        )
        model = AutoModelForCausalLM.from_pretrained(self.folder / "base")
        tokenizer = AutoTokenizer.from_pretrained(self.folder / "base")
        trainer = SFTTrainer(
            model, config, train_dataset=Dataset.from_list(self.examples()), processing_class=tokenizer
        )
        assert not trainer.model.is_activation_checkpointing
        assert sum(parameter.numel() for parameter in trainer.model.parameters()) == self.parameters
        self.theirs = sum(map(len, trainer.train_dataset["input_ids"])) / len(trainer.train_dataset)
        return trainer

    def examples(self) -> list[dict[str, list[int]]]:
        """The conversations that our stage trains on, as ids and labels in TRL's sense."""
        renderer = LanguageModel.load(self.folder / "base").renderer
        assert renderer is not None
        found = []
        for line in self.rows.read_text().splitlines():
            row = renderer.render(json.loads(line)["messages"])
            if len(row.ids) <= self.size.length:
                labels = [token if trained else IGNORE for token, trained in zip(row.ids, row.trained, strict=True)]
                found.append({"input_ids": row.ids, "labels": labels})
        return found

    def say(self, seconds: dict[str, list[float]]) -> None:
        """A table, and the figures."""
        tokens = self.tokens_per_step()
        typical = {name: median(spent) for name, spent in seconds.items()}
        print(f"{self.parameters / 1e6:.1f} M parameters, {self.size.rows} rows of {self.size.length}, ", end="")
        print(f"{tokens['instruct']:.0f} tokens a step; {len(seconds['instruct'])} rounds, medians")
        for name, spent in typical.items():
            speed = tokens.get(name, tokens["instruct"]) / spent
            print(f"  {name:16}{spent:8.3f} CPU-s a step {speed:8.0f} tokens per CPU-s")
        peers = [tokens["trl"] / spent for name, spent in typical.items() if name.startswith("trl")]
        if peers:
            print(f"figure sft {tokens['instruct'] / typical['instruct'] / max(peers):.3f}")
        if "lora" in typical:
            print(f"figure lora_step {typical['lora'] / typical['instruct']:.3f}")
            held = {name: optimizer_bytes(self.trainers[name]) for name in ("lora", "instruct")}
            print(f"figure lora_memory {held['lora'] / held['instruct']:.3f}")

    def tokens_per_step(self) -> dict[str, float]:
        """Tokens of conversations in a step, without what fills rows up; both sides pack by best fit."""
        source: Any = self.trainers["instruct"].job.source
        mine = sum(len(example.inputs) for example in source.rows) / source.rows_per_epoch
        return {"instruct": self.size.rows * mine, "trl": self.size.rows * self.theirs}


def conversations(count: int) -> list[dict[str, Any]]:
    """Made-up questions and answers whose lengths are spread as those of Alpaca: many short ones, a few long."""
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(4000)]

    def text(middle: float) -> str:
        return " ".join(draw.choices(words, k=max(2, min(250, round(draw.lognormvariate(middle, 0.8))))))

    return [
        {"messages": [{"role": "user", "content": text(2.6)}, {"role": "assistant", "content": text(3.4)}]}
        for _ in range(count)
    ]


def optimizer_bytes(trainer: Trainer) -> int:
    """What an optimizer remembers between steps."""
    return sum(part.numel() * part.element_size() for part in trainer.optimizer.state_tensors().values())


def take_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every step; each contestant warms up with two."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(-2, rounds):
        for name, step in steps.items():
            started_at = time.process_time()
            step()
            if turn >= 0:
                seconds[name].append(time.process_time() - started_at)
    return seconds


if __name__ == "__main__":
    main()
