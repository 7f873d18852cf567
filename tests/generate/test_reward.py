"""Numbers for conversations: packed as alone, long and empty answers included, and refused where there is no head."""

from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.reward import RewardModel, scores
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

TOKENIZER = BPE(vocab=300).train(["the red fox and the old grey wolf \n"] * 5)
RENDERER = Renderer(TOKENIZER, "chatml")
HEAD = "head={type: regression, values: 1, pooling: {take: last, activation: null}, bias: false}"


def model(*more: str) -> DecoderModel:
    sizes = ["length=64", "dim=32", f"embed.vocab={TOKENIZER.vocab}", "stack.layers=2", "stack.layer.0.heads=4"]
    layer = ["stack.layer.0.kv_heads=2", "stack.layer.1.hidden=64"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [*sizes, *layer, *more])
    return config.build(torch.Generator().manual_seed(0)).eval()


def talk(answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": "the fox?"}, {"role": "assistant", "content": answer}]


def test_many_at_once_are_as_each_alone() -> None:
    scorer = model(HEAD)
    answers = ["red", "the old wolf", "", "the red fox and the old grey wolf " * 20, "and", "grey"]
    found = scores(scorer, RENDERER, [talk(answer) for answer in answers])
    alone = torch.cat([scores(scorer, RENDERER, [talk(answer)]) for answer in answers])
    torch.testing.assert_close(found, alone, atol=1e-6, rtol=1e-5)
    ids = RENDERER.render(talk("red")).ids
    stop = len(ids) - ids[::-1].index(RENDERER.stop)
    with torch.no_grad():
        assert float(found[0]) == pytest.approx(float(scorer(torch.tensor([ids[:stop]])).logits), abs=1e-6)
    assert len(set(found.tolist())) == len(answers)
    assert scores(scorer, RENDERER, []).shape == (0,)


def test_the_mean_is_taken_off() -> None:
    scorer = model(HEAD)
    raw = scores(scorer, RENDERER, [talk("red")])
    torch.testing.assert_close(RewardModel(scorer, RENDERER, mean=2.5).scores([talk("red")]), raw - 2.5)


def test_a_language_model_is_no_reward_model(tmp_path: Path) -> None:
    LanguageModel(model(), TOKENIZER, RENDERER).save(tmp_path / "m")
    with pytest.raises(UserError, match="is no reward model"):
        RewardModel.load(tmp_path / "m")
