"""What a policy is asked: prompts of a file, or the heads of the run's own Python functions, as ids of its tokenizer.

A model with a chat template is asked in its words, any other goes on with the text as it stands. Prompts that leave no
room for an answer are left out and counted.
"""

from collections.abc import Sequence
from typing import Any

from hornbook.core.errors import RecipeError, UserError
from hornbook.data.conversations import Prompts
from hornbook.data.split import Parts
from hornbook.generate.language_model import LanguageModel
from hornbook.train.rollout_write import Prompt
from hornbook.tune.instruct import Functions
from hornbook.tune.place import Place

Asked = Prompts | Functions
Row = dict[str, Any]


def parts_of(asked: Asked, place: Place) -> Parts:
    """Rows {"prompt": messages, "id", ...} to learn from and held-out ones."""
    if isinstance(asked, Prompts):
        return asked.build(place.file)
    if place.corpus is None:
        raise RecipeError("prompts: functions come from the corpus of a recipe that begins with files; give a source")
    found = asked.parts(place)
    train, validation, test = ([_head(row) for row in side] for side in (found.train, found.validation, found.test))
    return Parts(train, validation, test)


def _head(row: Row) -> Row:
    """The question of a conversation; the answer is there for rewards that compare."""
    return {"prompt": row["messages"][:-1], "id": row["id"], "answer": row["messages"][-1]["content"]}


def prompts_of(rows: Sequence[Row], lm: LanguageModel, *, room: int, place: Place) -> list[Prompt]:
    """Prompts for a model that reads `config.length` tokens, `room` of which are for the answer."""
    most = lm.module.config.length - room
    found = [_prompt(row, lm) for row in rows]
    fitting = [prompt for prompt in found if len(prompt.ids) <= most]
    if not fitting:
        raise UserError(
            f"prompts: none of {len(rows)} leaves room for {room} of the {most + room} tokens that the model reads; "
            "lower max_new_tokens or give shorter prompts"
        )
    if len(fitting) < len(found):
        place.note(f"{len(found) - len(fitting):,} of {len(found):,} prompts are longer than {most} tokens: left out")
    return fitting


def _prompt(row: Row, lm: LanguageModel) -> Prompt:
    text = str(row["prompt"][-1]["content"])
    if lm.renderer is not None:
        return Prompt(lm.renderer.prompt(row["prompt"]), text, row)
    if len(row["prompt"]) > 1:
        raise UserError(
            f"{row['id']}: a conversation of {len(row['prompt'])} messages, and the model has no chat template; name "
            "one with `template`, or give plain prompts"
        )
    return Prompt(lm.ids(text), text, row)
