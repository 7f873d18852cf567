"""Trainers that take turns: each runs in a thread of its own and waits before every step until it is asked.

transformers' Trainer, and TRL's that are made of it, cannot be stepped from outside; a callback stops them before and
after each step. Only one of all contestants computes at a time.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback


class Turns(TrainerCallback):
    """Hands a step to the trainer, and gets it back when it is done."""

    def __init__(self) -> None:
        self.mine, self.theirs = threading.Semaphore(0), threading.Semaphore(0)
        self.over = False
        self.fault: BaseException | None = None

    def on_step_begin(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
        """Wait for the turn; a gradient that is summed over several passes is one step."""
        self.mine.release()
        self.theirs.acquire()
        control.should_training_stop = self.over

    def on_train_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        self.mine.release()


class Stepped:
    """A transformers Trainer, one step at a time; `with` ends its thread."""

    def __init__(self, trainer: Any) -> None:
        self.trainer, self.turns, self.threads = trainer, Turns(), torch.get_num_threads()
        trainer.add_callback(self.turns)
        self.thread = threading.Thread(target=self._train, daemon=True)

    def _train(self) -> None:
        torch.set_num_threads(self.threads)  # a thread's own setting
        try:
            self.trainer.train()
        except BaseException as fault:
            self.turns.fault = fault
            self.turns.mine.release()

    def __enter__(self) -> Callable[[], float]:
        self.thread.start()
        self.turns.mine.acquire()  # everything before the first step is no part of it
        return self.step

    def step(self) -> float:
        """One optimizer step; the loss is not asked for."""
        if self.turns.fault is None:
            self.turns.theirs.release()
            self.turns.mine.acquire()
        if self.turns.fault is not None:
            raise self.turns.fault
        return float("nan")

    def __exit__(self, *_: object) -> None:
        self.turns.over = True
        self.turns.theirs.release()
        self.thread.join(timeout=60)


def sft_trainer(base: Path, rows: list[dict[str, list[int]]], how: dict[str, Any]) -> Any:
    """TRL's SFTTrainer on a model's folder and rows of input_ids and labels: packed, in fp32, without a word."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        packing=True,
        max_steps=1_000_000,
        lr_scheduler_type="constant",
        optim="adamw_torch_fused",
        activation_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        save_strategy="no",
        **how,
    )
    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    trainer = SFTTrainer(model, config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
    assert not trainer.model.is_activation_checkpointing
    return trainer
