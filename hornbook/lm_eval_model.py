"""A hornbook model in lm-evaluation-harness, so that its hundreds of tasks run as they are.

    lm_eval --model hornbook --model_args pretrained=RUN --tasks arc_easy               # if it looks for plugins
    python -m hornbook.lm_eval_model --model hornbook --model_args pretrained=RUN --tasks arc_easy   # any

The harness finds `hornbook` by the entry point `lm_eval.models`; 0.4.13 does not look for it yet, so there the second
line registers it and then is the harness's own command. Its three questions go to our Scorer. `--batch_size`
means nothing here: passes are filled with tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lm_eval.api.model import LM
from lm_eval.api.registry import model_registry

from hornbook.core.errors import UserError
from hornbook.evaluate.request import Continuation, Rolling, Until
from hornbook.evaluate.scorer import Scorer
from hornbook.generate.language_model import LanguageModel

NAME = "hornbook"
MOST_TOKENS = 256  # that are written where a task says nothing
LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")  # the harness's words for it


class Hornbook(LM):  # type: ignore[misc]  # the harness is untyped, and not installed everywhere
    """The harness's model, answered by a Scorer."""

    def __init__(
        self,
        pretrained: str | LanguageModel,
        dtype: str = "float32",
        device: str | None = None,
        batch_size: int | str | None = None,  # noqa: ARG002 -- the harness gives it to every model
        max_batch_size: int | None = None,  # noqa: ARG002
    ) -> None:
        """`pretrained` is a run, a model folder, a hub id or a .gguf file; or a model that is there already."""
        super().__init__()
        lm = pretrained if isinstance(pretrained, LanguageModel) else LanguageModel.load(pretrained, dtype=dtype)
        if lm.tokenizer is None:
            raise UserError(f"{pretrained}: has no tokenizer, so it can be asked nothing; add tokenizer.json to it")
        if device is not None and (torch.cuda.is_available() or not device.startswith("cuda")):  # its default is cuda
            lm.module.to(device)
        self.lm, self.scorer, self.name = lm, Scorer(lm), str(pretrained)

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Nats of each continuation after its context, and whether it is what the model would write."""
        found = self.scorer.continuations([Continuation(*each.args) for each in requests])
        return self._kept("loglikelihood", requests, [(each.log_likelihood, each.greedy) for each in found])

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
        """Nats of each text as a whole."""
        found = self.scorer.rolling([Rolling(*each.args) for each in requests])
        return self._kept("loglikelihood_rolling", requests, [each.log_likelihood for each in found])

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """What the model writes after each context."""
        return self._kept("generate_until", requests, self.scorer.until([until(*each.args) for each in requests]))

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:  # noqa: ARG002
        """Refused: the harness hands them over as text, and marks in a text are plain letters to us."""
        raise UserError(f"{self.name}: is asked without a chat template; leave --apply_chat_template out")

    def _kept(self, kind: str, requests: Sequence[Any], found: list[Any]) -> list[Any]:
        """Answers, after the harness's cache (--use_cache) has heard of them."""
        for each, answer in zip(requests, found, strict=True):
            self.cache_hook.add_partial(kind, each.args, answer)
        return found


def until(context: str, how: Mapping[str, Any]) -> Until:
    """The harness's wish to write, as ours."""
    left = dict(how)
    stop = left.pop("until", None) or ()
    lengths = [left.pop(name) for name in LENGTHS if name in left]
    temperature = float(left.pop("temperature", 0.0) or 0.0)
    if not left.pop("do_sample", temperature > 0):
        return Until(context, (stop,) if isinstance(stop, str) else tuple(stop), _most(lengths))
    if left:
        raise UserError(f"gen_kwargs: {', '.join(left)} cannot be passed on; leave it out, or give do_sample=False")
    return Until(context, (stop,) if isinstance(stop, str) else tuple(stop), _most(lengths), temperature or 1.0)


def _most(lengths: Sequence[Any]) -> int:
    return int(lengths[0]) if lengths else MOST_TOKENS


def register() -> None:
    """Make the name known, where no entry point has done so."""
    import lm_eval.models  # noqa: F401 -- a registry that is not empty would not look for its own models

    if NAME not in model_registry:
        model_registry.register(NAME, target="hornbook.lm_eval_model:Hornbook")


if __name__ == "__main__":
    from lm_eval.__main__ import cli_evaluate

    register()
    cli_evaluate()
