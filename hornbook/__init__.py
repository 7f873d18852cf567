"""hornbook: make a language model of your own, from raw files to a model that writes.

    import hornbook

    hornbook.build("demo")               # the stages of a recipe, as `hornbook build demo` does
    lm = hornbook.load("runs/demo")      # a run, a model folder, or the id of a model on the Hugging Face hub
    lm.generate("def main", max_new_tokens=64)

Importing this costs nothing: torch and the rest are imported by the first call.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook.generate.language_model import LanguageModel
    from hornbook.model.quantised import Kind

__version__ = "0.1.0"
__all__ = ["build", "load"]


def load(
    path: str, *, dtype: str | None = "float32", base: str | None = None, quantise: "Kind | None" = None
) -> "LanguageModel":
    """Read a run, Hugging Face folder, hub id or .gguf file; `dtype` None keeps the numbers as they are stored.

    base: the model of an adapter's folder, where it is no longer where the adapter says.
    quantise: "int8", "int4", "bf16" or "fp32" packs its matrices, for faster writing (docs/quantising.md).
    """
    from hornbook.generate.hub import find

    folder = find(path)  # a mistyped name is answered before torch is imported
    from hornbook.generate.language_model import LanguageModel

    return LanguageModel.load(folder, dtype=dtype, base=base, quantise=quantise)


def build(recipe: str, overrides: list[str] | None = None, **options: Any) -> Any:
    """Run the stages that a recipe names; `overrides` are written as on the command line: `["model.dim=256"]`."""
    from hornbook.build import build as run_stages

    return run_stages(recipe, overrides or [], **options)
