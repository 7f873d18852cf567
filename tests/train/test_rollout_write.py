"""What is written is what the trained model says it is, whatever else is written beside it."""

import dataclasses
from contextlib import nullcontext

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE
from hornbook.objective.policy import Reading
from hornbook.train import rollout_write
from hornbook.train.learner import Critic
from hornbook.train.rollout_write import batches, padded, seed_of
from tests.train.writers import decoder, prompts, writer

SEEDS = [[seed_of(1, prompt, sample) for sample in range(3)] for prompt in range(5)]


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probabilities_are_those_of_a_plain_pass(temperature: float) -> None:
    model, other = decoder(), decoder(seed=1)
    model.critic = Critic(24)
    torch.nn.init.normal_(model.critic.weight, generator=torch.Generator().manual_seed(2))
    given = writer(model, reading=Reading(temperature, None), reference=lambda: nullcontext(other))
    found = given.write(prompts(), SEEDS)
    assert len(found) == 15
    assert 0 < int(found.finished.sum()) < 15
    for number, start in enumerate(found.starts.tolist()):
        ids, prompt = found.text(number)
        assert ids[:prompt] == prompts()[number // 3].ids
        here = slice(start, start + int(found.new_tokens[number]))
        with torch.no_grad():
            for each, numbers in ((model, found.old), (other, found.reference)):
                output = each(torch.tensor([ids]))
                log_p = (output.logits[0, prompt - 1 : -1] / temperature).log_softmax(-1)
                expected = log_p[torch.arange(len(ids) - prompt), torch.tensor(ids[prompt:])]
                torch.testing.assert_close(numbers[here], expected, atol=1e-5, rtol=0)
            hidden = model(torch.tensor([ids])).hidden[0, prompt - 1 : -1]
            torch.testing.assert_close(found.values[here], model.critic(hidden), atol=1e-4, rtol=1e-5)
    assert found.said[0]["parts"]["letters"] == pytest.approx(float(found.rewards[0]))
    assert model.training


def test_a_text_depends_on_its_seed_and_on_nothing_beside_it() -> None:
    given = writer(decoder())
    together = given.write(prompts(), SEEDS)
    for number, prompt in enumerate(prompts()):
        alone = given.write([prompt], [SEEDS[number]])
        assert [row["completion"] for row in alone.said] == [
            row["completion"] for row in together.said[3 * number : 3 * number + 3]
        ]
    assert len({row["completion"] for row in together.said}) > 5


def test_texts_without_an_end_may_have_a_reward_of_their_own() -> None:
    found = writer(decoder(), unfinished=-2.0).write(prompts(), SEEDS)
    assert (found.rewards[~found.finished] == -2).all()
    assert (found.rewards[found.finished] >= 0).all()
    assert found.said[int((~found.finished).nonzero()[0])]["parts"] == {"unfinished": -2.0}


def test_without_a_critic_some_texts_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in eight, of two passes one."""
    looked = []
    plain = rollout_write.read
    monkeypatch.setattr(
        rollout_write, "read", lambda m, texts, *rest: (looked.append(len(texts)), plain(m, texts, *rest))[1]
    )
    model = decoder()
    writer(model, reference=lambda: nullcontext(model)).write(prompts(), SEEDS)
    assert looked == [15, 2]


def test_an_engine_that_means_another_model_is_found_out() -> None:
    """Here it never writes the last ids, and the trainer thinks that it might."""
    given = writer(decoder())
    broken = dataclasses.replace(given, limits=dataclasses.replace(given.limits, vocab=50))
    with pytest.raises(UserError, match=r"rows\.jsonl:\d: the engine wrote a token at log-probability"):
        broken.write(prompts(), SEEDS)
    bad = decoder()
    with torch.no_grad():
        bad.stack.final_norm.weight.fill_(float("nan"))
    with pytest.raises(UserError, match="not finite numbers"):
        writer(bad).write(prompts(), SEEDS)


def test_labels_are_what_was_written() -> None:
    inputs, labels = padded([([5, 6, 7, 8], 2), ([1, 2], 1)])
    assert inputs.tolist() == [[5, 6, 7], [1, 0, 0]]
    assert labels.tolist() == [[IGNORE, 7, 8], [2, IGNORE, IGNORE]]


def test_every_text_is_read_once_beside_others_of_its_length() -> None:
    ids = [[0] * length for length in (900, 3, 2000, 5, 4)]
    found = list(batches(ids))
    assert sorted(row for rows in found for row in rows) == [0, 1, 2, 3, 4]
    assert all(len(rows) * max(len(ids[row]) for row in rows) <= 4096 for rows in found)


def test_seeds_differ_in_every_number() -> None:
    assert len({seed_of(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1, -1)}) == 12
