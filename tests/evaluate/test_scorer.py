"""The three questions, asked of each shape of model: in any order, with and without a cache, as by hand."""

from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.evaluate.cache import Cache
from hornbook.evaluate.request import AsRead, Continuation, Rolling, Until
from hornbook.evaluate.scorer import Scorer
from hornbook.generate.language_model import LanguageModel
from hornbook.model.models import Model
from hornbook.text.bpe import BPE
from hornbook.text.wordpiece import WordPiece

TEXT = "The small red fox and the old grey wolf ran over two green hills, and one of them sang: 3 + 4 = 7!\n"
ASKED = [
    Continuation("The small red", " fox"),
    Continuation("The small red", " wolf ran over"),
    Continuation("The old ", "grey wolf"),
    Continuation("", "The"),
    Continuation("The small red fox and the old grey wolf ran over " * 6, "two green"),
]


def language_model(name: str) -> LanguageModel:
    learning = WordPiece(vocab=320, alphabet=100) if "bert" in name else BPE(vocab=320)
    tokenizer = learning.train([TEXT] * 20)
    table = "source" if "t5" in name else "embed"
    config = recipe.load(Model, f"models/{name}", [f"{table}.vocab={tokenizer.vocab}"])  # type: ignore[arg-type]
    return LanguageModel(config.build(torch.Generator().manual_seed(0)).eval(), tokenizer)


@pytest.fixture(scope="module")
def decoder() -> LanguageModel:
    return language_model("llama-tiny")


def test_a_continuation_is_as_likely_as_by_hand(decoder: LanguageModel) -> None:
    found = Scorer(decoder).continuations(ASKED)
    assert decoder.tokenizer is not None
    encode = decoder.tokenizer.encode
    for asked, scored in zip(ASKED, found, strict=True):
        context = encode(asked.context.rstrip()) or [decoder.begin]
        whole = encode(asked.context + asked.continuation) if asked.context else [*context, *encode(asked.continuation)]
        continuation = whole[len(context) :]
        ids = torch.tensor([whole[-decoder.module.config.length - 1 :]])
        with torch.inference_mode():
            logits = decoder.module(ids[:, :-1]).logits[0, -len(continuation) :]
        by_hand = logits.log_softmax(-1)[range(len(continuation)), torch.tensor(continuation)].sum()
        assert scored.log_likelihood == pytest.approx(float(by_hand), abs=1e-4)
        assert scored.tokens == len(continuation)
        assert scored.bytes == len(asked.continuation.encode())
        assert scored.truncated == (len(whole) > decoder.module.config.length + 1)
    assert found[-1].truncated


def test_a_text_is_the_sum_of_its_windows(decoder: LanguageModel) -> None:
    short, long = Scorer(decoder).rolling([Rolling(TEXT[:30]), Rolling(TEXT * 6)])
    assert short.log_likelihood == pytest.approx(
        Scorer(decoder).continuations([Continuation("", TEXT[:30])])[0].log_likelihood, abs=1e-4
    )
    assert decoder.tokenizer is not None
    assert long.tokens == len(decoder.tokenizer.encode(TEXT * 6)) > decoder.module.config.length
    assert long.bytes == len(TEXT) * 6


def test_what_is_written_is_what_the_model_writes(decoder: LanguageModel) -> None:
    asked = [Until("The small", ("\n",), 6), Until("The old grey", (), 4), Until("fox " * 90, (), 4)]
    found = Scorer(decoder).until(asked)
    assert found[:2] == [
        decoder.generate("The small", max_new_tokens=6, stop=("\n",), temperature=0),
        decoder.generate("The old grey", max_new_tokens=4, temperature=0),
    ]


def test_the_same_is_not_asked_twice(decoder: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    first = Scorer(decoder, cache=Cache(tmp_path, "m"), progress=lambda done, of: calls.append((done, of)))
    found = first.continuations([*ASKED, ASKED[0]])
    assert set(calls) == {(len(ASKED), len(ASKED))}
    again = Scorer(decoder, cache=Cache(tmp_path, "m"))
    monkeypatch.setattr(again, "_continuations", lambda asked: pytest.fail("it was answered already"))
    assert again.continuations([ASKED[0], *ASKED]) == [found[0], *found[:-1]]


def test_an_encoder_decoder_scores_its_answer() -> None:
    lm = language_model("t5-tiny")
    asked = [Continuation("The small red fox", "the old wolf"), Continuation("two hills", "sang")]
    found = Scorer(lm).continuations(asked)
    assert lm.tokenizer is not None
    for each, scored in zip(asked, found, strict=True):
        answer = lm.tokenizer.encode(each.continuation)
        source, read = torch.tensor([lm.ids(each.context)]), torch.tensor([[lm.start, *answer[:-1]]])
        with torch.inference_mode():
            logits = lm.module(source, decoder_input_ids=read).logits[0]
        by_hand = float(logits.log_softmax(-1)[range(len(answer)), torch.tensor(answer)].sum())
        assert scored.log_likelihood == pytest.approx(by_hand, abs=1e-4)


def test_a_masked_model_guesses_each_token_from_all_others() -> None:
    lm = language_model("bert-tiny")
    (scored,) = Scorer(lm).continuations([Continuation("the small red", " fox and the")])
    assert lm.tokenizer is not None
    ids = lm.ids("the small red fox and the")
    own = lm.tokenizer.encode("the small red fox and the")
    judged = range(1 + len(lm.tokenizer.encode("the small red")), 1 + len(own))
    total = 0.0
    for place in judged:
        hidden = torch.tensor([ids])
        hidden[0, place] = lm.tokenizer.roles["mask"]
        with torch.inference_mode():
            total += float(lm.module(hidden).logits[0, place].log_softmax(-1)[ids[place]])
    assert scored.log_likelihood == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize(
    ("continuation", "sentence"), [("", "has no token to be judged"), ("fox " * 200, "and the model reads 64")]
)
def test_what_cannot_be_judged_is_refused(decoder: LanguageModel, continuation: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Scorer(decoder).continuations([Continuation("The", continuation)])


def test_a_question_that_is_too_long_loses_its_beginning_and_that_is_known(decoder: LanguageModel) -> None:
    scorer, length = Scorer(decoder), decoder.module.config.length
    assert decoder.tokenizer is not None
    ids = decoder.tokenizer.encode(TEXT * 9)
    assert len(ids) > length
    read = scorer.as_read(Until(TEXT * 9, max_new_tokens=16))
    assert read == AsRead(decoder.tokenizer.decode(ids[-(length - 16) :]), truncated=True)
    (whole,) = scorer.until([Until(TEXT * 9, max_new_tokens=16)])
    assert whole == scorer._plain(decoder.generate(read.text, max_new_tokens=16, temperature=0))
    assert scorer.as_read(Until(TEXT)) == AsRead(TEXT)
    greedy = scorer.as_read(Until(TEXT * 9, max_new_tokens=9 * length))  # more than fits: half the window is read
    assert len(decoder.tokenizer.encode(greedy.text)) == length // 2
