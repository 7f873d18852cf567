"""How large a model a time budget can afford: the largest that still reads enough, by steps measured on this machine.

Chinchilla (Hoffmann et al. 2022) weighs size against tokens at the optimum of a law; minutes on a laptop lie far below
where it was fitted, so the recipe says how many tokens a parameter should at least see, and docs/log.md why.
"""

import dataclasses

from hornbook.console import short
from hornbook.model.cost import cost
from hornbook.settings import Recipe
from hornbook.show import measure_pace, training_bytes
from hornbook.train.horizon import seconds


def choose(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """The recipe with the model its budget affords, and a line for each size that was tried."""
    if recipe.ladder is None or recipe.pretrain.budget is None:
        return recipe, []
    chosen, said = recipe, []
    for model in (recipe.model, *recipe.ladder.models):
        tried = dataclasses.replace(recipe, model=model)
        parameters = cost(model).parameters
        pace = measure_pace(tried, training_bytes(tried, parameters))
        tokens = seconds(recipe.pretrain.budget) / pace.seconds * recipe.pretrain.tokens_per_step
        enough = tokens >= recipe.ladder.tokens_per_parameter * parameters
        if enough:
            chosen = tried
        said.append(
            f"size       {short(parameters)} parameters would read {short(tokens)} tokens in {recipe.pretrain.budget}, "
            f"{tokens / parameters:.2f} for each: {'enough' if enough else 'too few'} ({pace.how})"
        )
    return dataclasses.replace(chosen, ladder=None), said
