import pytest
import torch
import torch.nn.functional as F

from hornbook.objective.sequence_to_sequence import SequenceToSequence
from tests.objective.test_batch import case


def test_it_trains_with_smooth_labels_and_is_measured_without() -> None:
    objective, model, batch = case("sequence to sequence")
    logits = model.head(model(**batch.inputs, logits=False).hidden).flatten(0, 1)

    def plain(smoothing: float) -> torch.Tensor:
        return F.cross_entropy(logits, batch.labels.flatten(), reduction="sum", label_smoothing=smoothing)

    torch.testing.assert_close(objective(model, batch).sum, plain(0.1))
    torch.testing.assert_close(objective(model.eval(), batch).sum, plain(0.0))


def test_accuracy_is_the_share_of_tokens_that_greedy_reading_foresees() -> None:
    objective, model, batch = case("sequence to sequence")
    best = model.head(model(**batch.inputs, logits=False).hidden).argmax(-1)
    hits, of = objective(model.eval(), batch).shares["accuracy"]
    assert (hits, of) == (int((best == batch.labels).sum()), int((batch.labels != -100).sum()))


def test_a_smoothing_that_leaves_nothing_of_the_answer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"label_smoothing: 1.0 is not a share below 1; try 0.1"):
        SequenceToSequence(label_smoothing=1.0)
