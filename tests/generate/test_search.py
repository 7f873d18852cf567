"""Searches and speculation from a prompt's text to texts: `LanguageModel.search` and its option `draft`."""

import pytest

from hornbook.core.errors import UserError
from hornbook.generate.beam import Beam
from hornbook.generate.best_of import BestOf
from hornbook.generate.contrastive import Contrastive
from hornbook.generate.diverse_beam import DiverseBeam
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.speculative import Draft, Lookup
from hornbook.text.bpe import BPE
from tests.tiny_models import small

TEXTS = ["the cat and the hat sat on the mat\n", "三只猫坐在垫子上。🌱\n"] * 3
TOKENIZER = BPE(vocab=270).train(TEXTS, processes=1)


def model(seed: int = 0) -> LanguageModel:
    return LanguageModel(small(TOKENIZER.vocab, seed, layers=2, length=64), TOKENIZER)


def test_the_best_text_comes_first() -> None:
    lm = model()
    found = lm.search("the cat", Beam(beams=4, keep=3), max_new_tokens=8)
    assert len(found) == 3
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[0].log_probability == pytest.approx(found[0].score * 8, rel=1e-4)
    for one in found:
        assert one.reason == "length"
        assert one.text == TOKENIZER.decode_bytes(one.ids).decode("utf-8", "replace")


@pytest.mark.parametrize("method", [Beam(), DiverseBeam(groups=2), Contrastive(), BestOf(samples=3)])
def test_every_method_gives_texts_and_minds_stop_texts(method: Beam | DiverseBeam | Contrastive | BestOf) -> None:
    lm = model()
    found = lm.search("the 猫", method, max_new_tokens=12, seed=3)
    assert found
    text = found[0].text
    stop = text[len(text) // 2 :][:2]
    cut = lm.search("the 猫", method, max_new_tokens=12, seed=3, stop=[stop])
    assert any(one.reason == "stop" and one.text == text[: text.index(stop)] for one in cut)


def test_one_beam_is_greedy_text() -> None:
    lm = model()
    (found,) = lm.search("the cat", Beam(beams=1), max_new_tokens=10)
    assert found.text == lm.generate("the cat", temperature=0, max_new_tokens=10)


def test_options_hold_in_a_search_too() -> None:
    lm = model()
    free = lm.search("the cat", Beam(), max_new_tokens=10)[0]
    banned = tuple(set(free.ids))
    assert not set(banned) & set(lm.search("the cat", Beam(), max_new_tokens=10, banned=banned)[0].ids)
    one = lm.search("the cat", BestOf(samples=3), seed=1, temperature=0.9)
    assert one == lm.search("the cat", BestOf(samples=3), seed=1, temperature=0.9)
    with pytest.raises(UserError, match="temprature: there is no such option"):
        lm.search("the cat", Beam(), temprature=0.5)  # type: ignore[call-arg]


def test_guessing_ahead_writes_the_same_text() -> None:
    lm, prompts = model(), ["the cat and the cat", "三只猫三只", "on"]
    for options in ({"temperature": 0.0}, {"temperature": 0.0, "repetition_penalty": 1.3, "stop": ["t"]}):
        expected = lm.generate(prompts, max_new_tokens=20, **options)
        for helper in (Lookup(), Draft(model(seed=4))):
            assert lm.generate(prompts, max_new_tokens=20, draft=helper, **options) == expected
            streamed = "".join(lm.stream(prompts[1], max_new_tokens=20, draft=helper, **options))
            assert streamed == expected[1]


def test_a_draft_of_another_family_is_refused() -> None:
    other = BPE(vocab=262).train(["other words\n"] * 3, processes=1)
    draft = LanguageModel(small(other.vocab), other)
    with pytest.raises(UserError, match="draft: the model has another tokenizer"):
        model().generate("the", draft=Draft(draft))
