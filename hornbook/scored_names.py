"""What models are called in tables and folders; loads nothing that computes."""

from collections.abc import Sequence
from pathlib import Path


def names(models: Sequence[str]) -> list[str]:
    """A short name for each model, no two alike.

    >>> names(["runs/demo", "openai-community/gpt2", "other/demo", "a.gguf"])
    ['runs-demo', 'gpt2', 'other-demo', 'a']
    """
    short = [Path(model).stem if Path(model).suffix == ".gguf" else Path(model).name for model in models]
    return [
        name if short.count(name) == 1 else "-".join(Path(model).parts[-2:])
        for name, model in zip(short, models, strict=True)
    ]
