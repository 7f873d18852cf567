"""The chat template of a stage: the model's own, one of ours by name, or a file."""

from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.core.source import closest
from hornbook.generate.language_model import LanguageModel
from hornbook.text.chat import Renderer
from hornbook.text.templates import TEMPLATES, sayable
from hornbook.text.tokenizer import Tokenizer


def renderer_of(model: LanguageModel, template: str | None) -> Renderer:
    """The renderer for a model: of the named template, of a file with Jinja, or with None the model's own."""
    return renderer_for(model.tokenizer, model.renderer, template)


def renderer_for(tokenizer: Tokenizer | None, own: Renderer | None, template: str | None) -> Renderer:
    """As `renderer_of`, where the weights are not there."""
    if tokenizer is None:
        raise UserError("base: the model's folder has no tokenizer, so conversations mean nothing to it; add one")
    if template is None:
        if own is None:
            known = ", ".join(sayable(tokenizer.special))
            raise UserError(f"template: the model has none of its own; name one that its tokenizer can write: {known}")
        return own
    if template in TEMPLATES:
        return Renderer(tokenizer, template)
    if not Path(template).is_file():
        names = f"{', '.join(TEMPLATES)}{closest(template, TEMPLATES)}"
        raise UserError(f"template: {template!r} is no file and none of {names}")
    return Renderer(tokenizer, Path(template).read_text(encoding="utf-8"), None if own is None else own.words)


def template_files(template: str | None) -> list[Path]:
    """The file of a template, where it is one: when it changes, the stage is run again."""
    return [Path(template)] if template is not None and template not in TEMPLATES else []
