"""Adapters in folders: loaded with their model, found again, trained on, the same after a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import hornbook
from hornbook.adapt.adapter import Adapter, attach, is_adapted
from hornbook.adapt.dora import Dora
from hornbook.adapt.lora import Lora
from hornbook.adapt.qlora import Qlora
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.core.run import Run
from hornbook.generate import adapters
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.optim.adamw import AdamW
from hornbook.text.bpe import BPE
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks
from tests.train.doubles import VOCAB, Ears, job

IDS = torch.arange(3, 15)[None]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    tokenizer = BPE(vocab=300).train(["the cat sat on the mat\n"] * 3, processes=1)
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}"])
    LanguageModel(config.build(torch.Generator().manual_seed(0)), tokenizer).save(tmp_path / "base")
    return tmp_path / "base"


def learned(base: Path, adapter: Adapter) -> LanguageModel:
    model = LanguageModel.load(base)
    attach(model.module, adapter, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for name, parameter in model.module.named_parameters():
            if parameter.requires_grad and not name.endswith("down"):
                parameter += 0.05
    return model


@pytest.mark.parametrize(
    "adapter", [Lora(rank=3, alpha=5.0, scaling="root", dropout=0.1), Dora(rank=2, full=("norm",))]
)
def test_a_folder_of_each_and_both_say_the_same(base: Path, tmp_path: Path, adapter: Adapter) -> None:
    model = learned(base, adapter)
    said = model.module(IDS).logits
    adapters.save(model, tmp_path / "run" / "model", base=base)
    whole, beside = hornbook.load(str(tmp_path / "run" / "model")), hornbook.load(str(tmp_path / "run" / "adapter"))
    torch.testing.assert_close(whole.module(IDS).logits, said, rtol=0, atol=1e-5)
    assert torch.equal(beside.module(IDS).logits, said)
    assert (is_adapted(whole.module), is_adapted(beside.module)) == (False, True)
    assert beside.generate("the cat", temperature=0.0) == model.generate("the cat", temperature=0.0)
    names = [{name for name, p in each.module.named_parameters() if p.requires_grad} for each in (beside, model)]
    assert names[0] == names[1], "it goes on learning what it learned"


def test_what_was_learned_beside_packed_matrices_is_an_adapter_like_others(base: Path, tmp_path: Path) -> None:
    model = learned(base, Qlora(rank=2))
    adapters.save(model, tmp_path / "run" / "model", base=base)
    whole = hornbook.load(str(tmp_path / "run" / "model"))
    torch.testing.assert_close(whole.module(IDS).logits, model.module(IDS).logits, rtol=0, atol=1e-5)
    beside = hornbook.load(str(tmp_path / "run" / "adapter"))
    off = (beside.module(IDS).logits - model.module(IDS).logits).abs().max()
    assert 0 < float(off.detach()) < 0.5, "beside the matrices of the file, which were rounded while it learned"


def test_a_whole_model_has_nothing_beside_it(base: Path, tmp_path: Path) -> None:
    adapters.save(LanguageModel.load(base), tmp_path / "run" / "model", base=base)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model"]
    with pytest.raises(UserError, match="the model has no adapter to save; save the model"):
        adapters.write(LanguageModel.load(base).module, tmp_path / "adapter", base=base)


def test_a_base_that_moved_is_named(base: Path, tmp_path: Path) -> None:
    model = learned(base, Lora())
    adapters.write(model.module, tmp_path / "adapter", base=base)
    moved = base.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="base: no such folder"):
        hornbook.load(str(tmp_path / "adapter"))
    assert torch.equal(hornbook.load(str(tmp_path / "adapter"), base=str(moved)).module(IDS).logits, said_by(model))


def said_by(model: LanguageModel) -> torch.Tensor:
    said: torch.Tensor = model.module(IDS).logits
    return said


def test_an_adapter_that_names_no_base_is_refused(base: Path, tmp_path: Path) -> None:
    adapters.write(learned(base, Lora()).module, tmp_path / "adapter", base="")
    with pytest.raises(UserError, match="base_model_name_or_path says nothing; name the adapter's model with base"):
        hornbook.load(str(tmp_path / "adapter"))


def fit(folder: Path, adapter: Adapter, ears: Ears | None = None) -> torch.nn.Module:
    """Train an adapter beside a model that is made anew every time, as a stage opens its base."""
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={VOCAB}", "stack.layers=2"])
    model = config.build(torch.Generator().manual_seed(0))
    attach(model, adapter, torch.Generator().manual_seed(1))
    train = Train(steps=12, rows_per_step=4, optimizer=AdamW(lr=1e-2), save_every=4)
    Trainer(train, job(model=model), Run(folder), listener=ears or Ears(), ranks=Ranks()).fit()
    return model


class Killer(Ears):
    def step(self, row, total, seconds_left):
        if row["step"] == 7:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_training_that_was_killed_ends_in_the_same_bits(tmp_path: Path) -> None:
    config = Qlora(rank=2, dropout=0.2)  # the base is packed anew, dropout drawn anew
    calm = fit(tmp_path / "calm", config)
    code = f"from tests.generate.test_adapters import *; fit(Path({str(tmp_path / 'hurt')!r}), {config}, Killer())"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    again = fit(tmp_path / "hurt", config)
    for (name, one), (_, other) in zip(calm.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(one, other), name
    logs = [(tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in ("calm", "hurt")]
    losses = [[json.loads(line)["loss"] for line in log] for log in logs]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 12
