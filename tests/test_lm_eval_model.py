"""A hornbook model in lm-evaluation-harness: its three questions, answered as by the Scorer."""

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("lm_eval")

from hornbook.core.errors import UserError
from hornbook.evaluate.request import Continuation, Rolling, Until
from hornbook.evaluate.scorer import Scorer
from hornbook.generate.language_model import LanguageModel
from hornbook.lm_eval_model import Hornbook, register, until
from tests.evaluate.tiny_models import make


def asked(*arguments: object) -> SimpleNamespace:
    return SimpleNamespace(args=arguments)


def test_the_harness_hears_what_the_scorer_says(tmp_path: Path) -> None:
    from lm_eval.api.registry import get_model

    register()
    folder = make("tiny", tmp_path)
    model, scorer = get_model("hornbook")(pretrained=str(folder)), Scorer(LanguageModel.load(folder))
    assert isinstance(model, Hornbook)
    (one,) = scorer.continuations([Continuation("The water", " was cold")])
    assert model.loglikelihood([asked("The water", " was cold")]) == [(one.log_likelihood, one.greedy)]
    assert model.loglikelihood_rolling([asked("The water")]) == [
        scorer.rolling([Rolling("The water")])[0].log_likelihood
    ]
    written = model.generate_until([asked("The", {"until": ["\n"], "max_gen_toks": 5})])
    assert written == scorer.until([Until("The", ("\n",), 5)])


def test_wishes_to_write() -> None:
    assert until("a", {"until": "\n", "do_sample": False, "temperature": 0.7}) == Until("a", ("\n",), 256)
    assert until("a", {"temperature": 0.5, "max_new_tokens": 7}) == Until("a", (), 7, 0.5)
    with pytest.raises(UserError, match="top_p cannot be passed on"):
        until("a", {"do_sample": True, "top_p": 0.9})


def test_chat_templates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave --apply_chat_template out"):
        Hornbook(str(make("tiny", tmp_path))).apply_chat_template([{"role": "user", "content": "Hi"}])
