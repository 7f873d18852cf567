import numpy as np
import torch

from hornbook.data.answers import side_by_side
from hornbook.data.batches import IGNORE
from hornbook.data.marks import marks
from tests.data.conftest import MarkedTokenizer


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_rows_of_unequal_length_stand_side_by_side() -> None:
    found = marks(MarkedTokenizer(("<s>", "</s>", "<pad>")))  # 257, 258, 259
    batch = side_by_side([(ids(1, 2, 3), ids(4)), (ids(5), ids(6, 7))], found)
    assert batch.input_ids.tolist() == [[257, 1, 2, 3, 258], [257, 5, 258, 259, 259]]
    assert batch.attention_mask.tolist() == [[True] * 5, [True, True, True, False, False]]
    assert batch.labels.tolist() == [[4, 258, IGNORE], [6, 7, 258]]
    assert batch.decoder_input_ids.tolist() == [[259, 4, 258], [259, 6, 7]]
    assert sorted(batch.inputs) == ["attention_mask", "decoder_input_ids", "input_ids"]


def test_rows_of_one_length_need_no_mask() -> None:
    batch = side_by_side([(ids(1, 2), ids(4)), (ids(5, 6), ids(6))], marks(MarkedTokenizer(())))
    assert batch.attention_mask is None
    assert batch.input_ids.dtype == batch.labels.dtype == batch.decoder_input_ids.dtype == torch.int64
    assert batch.decoder_input_ids[:, 0].tolist() == [256, 256]
