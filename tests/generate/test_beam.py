"""Beam search against every text there is, and against transformers with the same weights."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate.beam import Beam
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.generate.walk import Hypothesis
from tests.tiny_models import ARGUMENTS, both, shaken, small

PLAIN = Sampling()
ROOM = 4


def chances(model: Any, ids: list[int]) -> list[list[float]]:
    """Log-probabilities of what follows each token, without a state."""
    with torch.no_grad():
        found: list[list[float]] = model(torch.tensor([ids])).logits[0].log_softmax(-1).tolist()
        return found


def every_text(model: Any, prompt: list[int], end: int, vocab: int) -> list[tuple[float, list[int]]]:
    """All texts of up to ROOM tokens that end, or are as long as may be, with their log-probabilities."""
    texts = {}
    for ids in itertools.product(range(vocab), repeat=ROOM):
        cut = ids[: ids.index(end) + 1] if end in ids else ids
        texts[cut] = 0.0
    for text in texts:
        each = chances(model, [*prompt, *text])
        texts[text] = sum(each[len(prompt) - 1 + place][token] for place, token in enumerate(text))
    return [(chance, list(text)) for text, chance in texts.items()]


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0, -0.5])
def test_a_wide_beam_finds_the_best_of_all_texts(length_penalty: float) -> None:
    model, prompt = small(vocab=4), [1, 3, 2]
    ranked = sorted(every_text(model, prompt, end=0, vocab=4), key=lambda one: -one[0] / len(one[1]) ** length_penalty)
    config = Beam(beams=4**ROOM, keep=20, length_penalty=length_penalty, stopping="sure")
    found = config.run(model, Writing(prompt), PLAIN, Limits(max_new_tokens=ROOM, end=frozenset([0])))
    assert [whole(one) for one in found] == [text for _, text in ranked[:20]]
    for one, (chance, text) in zip(found, ranked, strict=False):
        assert one.log_probability == pytest.approx(chance, abs=1e-5)
        assert one.score == pytest.approx(chance / len(text) ** length_penalty, abs=1e-5)


def whole(found: Hypothesis) -> list[int]:
    return found.ids if found.end is None else [*found.ids, found.end]


def test_one_beam_is_greedy() -> None:
    for model in (small(vocab=31, layers=2), shaken("mamba-tiny"), shaken("rwkv-tiny"), shaken("jamba-tiny")):
        limits, writing = Limits(max_new_tokens=12), Writing([1, 2, 3])
        for _ in write(model, [writing], Sampling(temperature=0), limits):
            pass
        (found,) = Beam(beams=1, stopping="first").run(model, Writing([1, 2, 3]), PLAIN, limits)
        assert (found.ids, found.reason) == (writing.new, "length")


@pytest.mark.parametrize("name", ["mamba-tiny", "rwkv-tiny", "hyena-tiny", "gru-tiny", "jamba-tiny"])
def test_other_memories_follow_their_beams(name: str) -> None:
    """The log-probability that the search adds up is that of the text read at once."""
    model, prompt = shaken(name), [5, 9, 2]
    found = Beam(beams=4, keep=4).run(model, Writing(prompt), PLAIN, Limits(max_new_tokens=8))
    assert len({tuple(one.ids) for one in found}) == 4
    for one in found:
        each = chances(model, prompt + one.ids)
        total = sum(each[len(prompt) - 1 + place][token] for place, token in enumerate(one.ids))
        assert one.log_probability == pytest.approx(total, abs=1e-4)


STOPPING = {"first": True, "guess": False, "sure": "never"}
PROMPTS = [[1, 5, 9, 33, 7], [1, 30], [4, 4, 8]]


def theirs_found(theirs: Any, ids: list[int], **how: Any) -> list[tuple[list[int], float]]:
    """Their texts after the prompt, with what ended them, and their scores."""
    found = theirs.generate(
        torch.tensor([ids]),
        do_sample=False,
        num_return_sequences=how["num_beams"],
        return_dict_in_generate=True,
        output_scores=True,
        **how,
    )
    begun = 1 if theirs.config.is_encoder_decoder else len(ids)
    ends = how["eos_token_id"]
    texts = []
    for row in found.sequences[:, begun:].tolist():
        stop = next((place for place, token in enumerate(row) if token in ends), how["max_new_tokens"])
        texts.append(row[: stop + 1])
    return list(zip(texts, found.sequences_scores.tolist(), strict=True))


def same(found: list[Hypothesis], expected: list[tuple[list[int], float]]) -> None:
    assert [whole(one) for one in found] == [text for text, _ in expected]
    assert [one.score for one in found] == pytest.approx([score for _, score in expected], abs=1e-4)


@pytest.mark.parametrize("stopping", list(STOPPING))
@pytest.mark.parametrize(("beams", "length_penalty"), [(2, 1.0), (4, 0.0), (5, 2.0), (3, -1.0)])
def test_texts_and_scores_are_those_of_transformers(
    stopping: Any, beams: int, length_penalty: float, tmp_path: Path
) -> None:
    theirs, ours = both("LlamaForCausalLM", tmp_path)
    free = Beam(beams=beams).run(ours, Writing(PROMPTS[0]), PLAIN, Limits(max_new_tokens=12))[0].ids
    ends, ended = sorted({2, free[2], free[5]}), 0  # that do come
    for prompt in PROMPTS:
        expected = theirs_found(
            theirs,
            prompt,
            num_beams=beams,
            length_penalty=length_penalty,
            early_stopping=STOPPING[stopping],
            max_new_tokens=12,
            eos_token_id=ends,
        )
        config = Beam(beams=beams, keep=beams, length_penalty=length_penalty, stopping=stopping)
        limits = Limits(max_new_tokens=12, end=frozenset(ends))
        found = config.run(ours, Writing(prompt), PLAIN, limits)
        same(found, expected)
        ended += sum(one.end is not None for one in found)
    assert ended > 0, "the ends matter"


def test_penalties_and_blocked_runs_hold_as_in_transformers(tmp_path: Path) -> None:
    theirs, ours = both("LlamaForCausalLM", tmp_path)
    how = {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "suppress_tokens": [5, 6]}
    expected = theirs_found(theirs, PROMPTS[0], num_beams=4, max_new_tokens=14, eos_token_id=[2], **how)
    sampling = Sampling(repetition_penalty=1.3, no_repeat_ngram=2, banned=(5, 6))
    limits = Limits(max_new_tokens=14, end=frozenset([2]))
    same(Beam(beams=4, keep=4).run(ours, Writing(PROMPTS[0]), sampling, limits), expected)


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name != "LlamaForCausalLM"])
def test_answers_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    """T5, BART and Marian; with a token that must end the text, as BART's summaries have."""
    theirs, ours = both(name, tmp_path)
    start, end = theirs.config.decoder_start_token_id, theirs.config.eos_token_id
    sources = [[5, 9, 33, 7, 2], [44, 3, 2], [12, 13, 14, 15, 16, 17, 18, 2]]
    for forced in (None, end):
        answers = []
        for source in sources:
            how = {"num_beams": 4, "max_new_tokens": 9, "eos_token_id": [end], "forced_eos_token_id": forced}
            expected = theirs_found(theirs, source, **how)
            limits = Limits(max_new_tokens=9, end=frozenset([end]), start=start)
            found = Beam(beams=4, keep=4).run(ours, Writing([start], source=source), Sampling(last=forced), limits)
            same(found, expected)
            answers.append(round(found[0].score, 3))
        assert len(set(answers)) > 1, "the source matters"


def test_no_room_is_an_empty_text() -> None:
    (found,) = Beam().run(small(), Writing([1]), PLAIN, Limits(max_new_tokens=0))
    assert (found.ids, found.reason) == ([], "length")


def test_writing_stops_at_the_context() -> None:
    model = small(length=8)
    (found,) = Beam(beams=2).run(model, Writing([1, 2, 3]), PLAIN, Limits(max_new_tokens=99, context=8))
    assert len(found.ids) == 5
    with pytest.raises(UserError, match="9 tokens do not fit the model's 8"):
        Beam().run(model, Writing([1] * 9), PLAIN, Limits(context=8))
    with pytest.raises(UserError, match="no token to go on from"):
        Beam().run(model, Writing([]), PLAIN, Limits())


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="beams: 0"):
        Beam(beams=0)
    with pytest.raises(UserError, match="keep: 5 of 4"):
        Beam(keep=5)
    with pytest.raises(UserError, match="no token can come next"):
        Beam().run(small(), Writing([1]), Sampling(banned=(0, 1, 2, 3, 4)), Limits())
