"""Writing with an encoder-decoder: sources side by side as alone, and as transformers writes."""

from pathlib import Path

import pytest
import torch

from hornbook.exchange import folder
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling

hf = pytest.importorskip("transformers")

BART = {
    "vocab_size": 61,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
    "init_std": 0.5,
}
T5 = {
    "vocab_size": 61,
    "d_model": 24,
    "d_kv": 10,
    "d_ff": 40,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
    "initializer_factor": 3.0,
}
SOURCES = [[5, 9, 33, 7, 2], [44, 3, 2], [12, 13, 14, 15, 16, 17, 18, 2]]


def written(model: torch.nn.Module, sources: list[list[int]], start: int) -> list[list[int]]:
    writings = [Writing([start], source=source) for source in sources]
    for _ in write(model, writings, Sampling(temperature=0), Limits(max_new_tokens=12, start=start)):
        pass
    return [writing.new for writing in writings]


@pytest.mark.parametrize(("name", "arguments"), [("Bart", BART), ("T5", T5)])
@torch.no_grad()
def test_greedy_answers_are_those_of_transformers(name: str, arguments: dict[str, object], tmp_path: Path) -> None:
    torch.manual_seed(3)
    theirs = getattr(hf, f"{name}ForConditionalGeneration")(getattr(hf, f"{name}Config")(**arguments)).eval()
    theirs.save_pretrained(tmp_path)
    ours = folder.load(tmp_path).eval()
    start = int(arguments["decoder_start_token_id"])  # type: ignore[call-overload]
    found = written(ours, SOURCES, start)
    assert found == [written(ours, [source], start)[0] for source in SOURCES]
    for source, answer in zip(SOURCES, found, strict=True):
        ids = torch.tensor([source])
        want = theirs.generate(ids, max_new_tokens=12, num_beams=1, do_sample=False, eos_token_id=None)
        assert want[0, 1:].tolist() == answer
    assert len({tuple(answer) for answer in found}) == 3  # the source matters
