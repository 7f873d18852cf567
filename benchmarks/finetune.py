"""What does post-training cost? Instruction tuning beside TRL's SFTTrainer; LoRA, DPO and GRPO beside our own steps.

All have the same Llama in fp32, AdamW (fused), gradients clipped to 1, and the same made-up conversations, of which
only the answers are trained, packed into rows of the same length; TRL packs by best fit too. They take turns in one
process: A B C A B C ... A turn is an optimizer step and counts the CPU seconds of all threads. TRL is measured twice,
with all rows of a step at once and with one at a time, and the faster is the peer; gradient checkpointing is off.

    python benchmarks/finetune.py [--rounds 6] [--threads 1] [--only sft lora dpo grpo]

figure sft            tokens per CPU second of our stage `instruct` over TRL's
figure lora_step      time of a step with LoRA over one that trains everything (below 1: faster)
figure lora_memory    bytes of optimizer state with LoRA over those without
figure dpo_step       time of a DPO step over one of SFT for as many tokens (what the reference says is stored);
                      beside it is said what a pair costs over a conversation, which is about half as long
figure grpo_overhead  time of a GRPO step over that of its generation and its update, the reference's term of the
                      loss included: what checks the texts, rewards them and writes them down; beside it is said
                      what it comes to with the reference counted as overhead
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from made_up import TINY, USUAL, Size, conversations
from peers import Stepped, sft_trainer
from plain import Ear
from turns import Step, Watch, take_turns

from hornbook.adapt.lora import Lora
from hornbook.align.reward import Contains
from hornbook.core import recipe
from hornbook.core.run import Run, processor
from hornbook.core.stop import Stop
from hornbook.data.batches import IGNORE
from hornbook.data.conversations import Prompts
from hornbook.data.inputs import Conversations
from hornbook.data.preferences import Preferences
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
from hornbook.tune.grpo import Grpo
from hornbook.tune.instruct import Instruct
from hornbook.tune.place import Place
from hornbook.tune.prefer import Prefer

LR = 1e-4
ENOUGH = 1_000_000  # steps: no run is over while it is measured
CONVERSATIONS = 1200
PAIRS = 160  # fewer: what the reference says of each is found before anything is measured
PARTS = ("sft", "lora", "dpo", "grpo")


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
        self.watch: Watch | None = None  # on GRPO

    def contestants(self, parts: list[str], stack: ExitStack) -> dict[str, Step]:
        """A step of each by name."""
        steps = {"instruct": self.ours("instruct", self.stage())}
        if "sft" in parts:
            for name, passes in (("trl", 1), ("trl, row by row", self.size.rows)):
                steps[name] = stack.enter_context(Stepped(self.trl(passes)))
        if "lora" in parts:
            steps["lora"] = self.ours("lora", self.stage(adapter=Lora(rank=16)))
        if "dpo" in parts:
            steps["dpo"] = self.ours("dpo", self.preferring())
        if "grpo" in parts:
            steps["grpo"] = self.watched(self.ours("grpo", self.reinforcing()))
        return steps

    def reinforcing(self) -> Grpo:
        """GRPO on the questions; which answers are worth something does not change the work."""
        path = self.folder / "prompts.jsonl"
        asked = [json.loads(line)["messages"][0]["content"] for line in self.rows.read_text().splitlines()[:PAIRS]]
        path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in asked if len(text.split()) < 16))
        return Grpo(
            prompts=Prompts(source=str(path), split=Split(train=1.0, validation=0.0)),
            reward=Contains(words=("the",)),
            prompts_per_step=4,
            samples_per_prompt=4,
            max_new_tokens=self.size.length // 8,
            train=Train(steps=ENOUGH, optimizer=AdamW(lr=LR), schedule=Constant(), threads=1),
        )

    def watched(self, step: Step) -> Step:
        """A step of which is known how long generation and update take."""
        self.watch = Watch(step, self.trainers["grpo"].job.source)
        return self.watch.run

    def trl(self, passes: int) -> Any:
        """TRL's trainer; a step is of the same rows, in so many passes."""
        how = {
            "output_dir": str(self.folder / f"trl{passes}"),
            "max_length": self.size.length,
            "per_device_train_batch_size": self.size.rows // passes,
            "gradient_accumulation_steps": passes,
            "learning_rate": LR,
        }
        trainer = sft_trainer(self.folder / "base", self.examples(), how)
        assert sum(parameter.numel() for parameter in trainer.model.parameters()) == self.parameters
        self.theirs = sum(map(len, trainer.train_dataset["input_ids"])) / len(trainer.train_dataset)
        return trainer

    def preferring(self) -> Prefer:
        """DPO on the first conversations, with other answers beside theirs; a step of as many tokens as the others'."""
        rows = [json.loads(line)["messages"] for line in self.rows.read_text().splitlines()[:PAIRS]]
        other = [row["messages"][1]["content"] for row in conversations(len(rows), seed=1)]
        pairs = [
            {"prompt": row[0]["content"], "chosen": row[1]["content"], "rejected": said}
            for row, said in zip(rows, other, strict=True)
        ]
        path = self.folder / "pairs.jsonl"
        path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
        train = replace(self.stage().train, rows_per_step=self.size.rows // 2)  # a row holds two answers
        data = Preferences(source=str(path), split=Split(train=1.0, validation=0.0))
        return Prefer(data=data, length=self.size.length, train=train)

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
            read = tokens.get({"trl, row by row": "trl", "lora": "instruct"}.get(name, name))
            speed = "" if read is None else f"{read / spent:8.0f} tokens per CPU-s"
            print(f"  {name:16}{spent:8.3f} CPU-s a step {speed}")
        peers = [tokens["trl"] / spent for name, spent in typical.items() if name.startswith("trl")]
        if peers:
            print(f"figure sft {tokens['instruct'] / typical['instruct'] / max(peers):.3f}")
        if "lora" in typical:
            print(f"figure lora_step {typical['lora'] / typical['instruct']:.3f}")
            held = {name: optimizer_bytes(self.trainers[name]) for name in ("lora", "instruct")}
            print(f"figure lora_memory {held['lora'] / held['instruct']:.3f}")
        if "dpo" in typical:
            read = {name: typical[name] / tokens[name] for name in ("dpo", "instruct")}
            shelf: Any = self.trainers["dpo"].job.source
            pair = typical["dpo"] / self.each("dpo", len(shelf.shelf.pairs))
            source: Any = self.trainers["instruct"].job.source
            conversation = typical["instruct"] / self.each("instruct", len(source.rows))
            print(f"  a pair costs {pair / conversation:.2f} conversations")
            print(f"figure dpo_step {read['dpo'] / read['instruct']:.3f}")
        if self.watch is not None:
            last = slice(-len(seconds["grpo"]), None)
            print(f"  with the reference counted as overhead: {median(self.watch.asked[last]):.3f}")
            print(f"figure grpo_overhead {median(self.watch.shares[last]):.3f}")

    def each(self, name: str, rows: int) -> float:
        """How many of its rows are in a step."""
        trainer = self.trainers[name]
        return rows / trainer.job.source.rows_per_epoch * trainer.rows_per_step

    def tokens_per_step(self) -> dict[str, float]:
        """Tokens of conversations in a step, without what fills rows up; both sides pack by best fit."""
        source: Any = self.trainers["instruct"].job.source
        mine = sum(len(example.inputs) for example in source.rows) / source.rows_per_epoch
        found = {"instruct": self.size.rows * mine, "trl": self.size.rows * self.theirs}
        if "dpo" in self.trainers:
            pairs: Any = self.trainers["dpo"].job.source
            sizes = [len(answer.ids) for pair in pairs.shelf.pairs for answer in pair if answer is not None]
            found["dpo"] = self.each("dpo", sum(sizes))
        return found


def optimizer_bytes(trainer: Trainer) -> int:
    """What an optimizer remembers between steps."""
    return sum(part.numel() * part.element_size() for part in trainer.optimizer.state_tensors().values())


if __name__ == "__main__":
    main()
