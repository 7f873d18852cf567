"""Names of models."""

from hornbook.scored_names import names


def test_models_of_one_name_are_told_apart() -> None:
    assert names(["runs/a", "b/model", "c/model"]) == ["a", "b-model", "c-model"]
    assert names(["a/model", "model.gguf"]) == ["a-model", "model.gguf"]
