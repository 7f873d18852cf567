"""Every model recipe, whatever its shape: read, written out, read again, counted without memory."""

import pytest

from hornbook.core import recipe
from hornbook.core.recipe import built_in_names
from hornbook.model.cost import cost
from hornbook.model.models import Model

LENT = {"models/demo", "models/demo-small", "models/student"}  # whole recipes lend these their length and vocabulary
NAMES = [name for name in built_in_names() if name.startswith("models/") and name not in LENT]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_survives_dumping_and_is_counted(name: str) -> None:
    config = recipe.load(Model, name)  # type: ignore[arg-type]
    assert recipe.parse(Model, recipe.dump(config)) == config
    counted = cost(config)
    assert counted.parameters > 1000
    assert counted.flops > 1000
