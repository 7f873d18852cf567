"""What a model is asked for while it learns: see test_objectives.py for what is written in whole runs."""

import torch

from hornbook.core.run import Run
from hornbook.data.batches import Batch
from hornbook.samples import answers, sampler, sides
from hornbook.settings import load
from tests.data.conftest import MarkedTokenizer


def test_sides_are_without_padding_and_without_the_end_of_the_answer() -> None:
    batch = Batch(
        torch.tensor([[5, 6, 9], [7, 9, 0]]),
        torch.tensor([[1, 9, -100], [2, 3, 9]]),
        attention_mask=torch.tensor([[True, True, True], [True, True, False]]),
    )
    assert sides(batch) == ([[5, 6, 9], [7, 9]], [[1], [2, 3]])


def test_sides_of_rows_without_padding() -> None:
    batch = Batch(torch.tensor([[5, 9]]), torch.tensor([[1, 9]]))
    assert sides(batch) == ([[5, 9]], [[1]])


def test_answers_are_the_likeliest_tokens_one_after_the_other() -> None:
    tokenizer = MarkedTokenizer(("<pad>",))
    recipe = load("tiny/translate", ["model.encoder.layers=1", "model.decoder.layers=1"])
    model = recipe.model.build(torch.Generator().manual_seed(0)).eval()
    source, pad = [97, 98, 99, 256], 257
    (found,) = answers(model, [source], tokenizer, max_new_tokens=5)
    so_far = [pad]
    for token in found:
        output = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([so_far]))
        assert token == int(output.logits[0, -1, : tokenizer.vocab].argmax())
        so_far.append(token)
    assert 0 < len(found) <= 5


def test_an_encoder_writes_nothing(tmp_path) -> None:
    model = load("tiny/masked").model.build(torch.Generator().manual_seed(0))
    assert sampler(model, MarkedTokenizer(), (), None, Run(tmp_path)) is None
    assert sampler(model, None, (), None, Run(tmp_path)) is None
