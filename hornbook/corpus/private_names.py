"""Names of people and places, which no expression can list: a language model marks them (presidio on spaCy).

It is the dearest step there is: a core marks about 10 documents of 2.6 kB a second, where the others look at thousands
(docs/corpus.md). Put it after all that drops. Its model has to be installed; nothing is downloaded. Street addresses
are found as far as the model takes their parts for places.
"""

import importlib
import importlib.util
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

from hornbook.core.errors import UserError
from hornbook.corpus.document import Document, Result, Step

Entity = Literal["person", "location", "organization"]


@dataclass(frozen=True, kw_only=True)
class NamedEntities:
    """Replaces names by placeholders."""

    name: ClassVar[str] = "named entities"
    kinds: tuple[Entity, ...] = ("person", "location")
    model: str = "en_core_web_sm"
    """A spaCy model that is installed; it decides the language."""
    language: str = "en"
    """ISO 639-1, of the model; documents that are said to be in another are left alone."""
    certainty: float = 0.5
    """From which on a name counts, 0 to 1; presidio gives all of a spaCy model's 0.85."""
    placeholder: str = "<{kind}>"
    """What stands in the place; `{kind}` becomes PERSON, LOCATION, ORGANIZATION."""

    def __post_init__(self) -> None:
        if not 0 <= self.certainty <= 1:
            raise ValueError(f"certainty: {self.certainty} is not between 0 and 1; try 0.5")

    def build(self) -> Step:
        _analyzer(self.model, self.language)  # what is missing is said before the first document
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """Keep every document, names replaced."""
        result = Result([])
        for document in documents:
            if document.language in (None, self.language):
                text, kinds = self._redact(document.text)
                result.changed.extend((document, f"name of a {kind}") for kind in kinds)
                document = replace(document, text=text) if kinds else document
            result.kept.append(document)
        return result

    def _redact(self, text: str) -> tuple[str, list[str]]:
        """A text with placeholders, and the kinds that were in it."""
        wanted = [kind.upper() for kind in self.kinds]
        analyzer = _analyzer(self.model, self.language)
        marks = analyzer.analyze(text, language=self.language, entities=wanted, score_threshold=self.certainty)
        parts, end, found = [], 0, set()
        for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
            if mark.start >= end:
                parts += [text[end : mark.start], self.placeholder.replace("{kind}", mark.entity_type)]
                end = mark.end
                found.add(mark.entity_type.lower())
        return "".join([*parts, text[end:]]), [kind for kind in self.kinds if kind in found]


@lru_cache(maxsize=4)
def _analyzer(model: str, language: str) -> Any:
    """Presidio with a spaCy model: half a second to start, once a process."""
    for module, fix in (("presidio_analyzer", "pip install presidio-analyzer"), (model, "install that spaCy model")):
        if importlib.util.find_spec(module) is None:
            raise UserError(f"named_entities: {module} is not installed; {fix}, or leave the step out")
    presidio, engines = map(importlib.import_module, ("presidio_analyzer", "presidio_analyzer.nlp_engine"))
    models = [{"lang_code": language, "model_name": model}]
    engine = engines.NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    return presidio.AnalyzerEngine(nlp_engine=engine, supported_languages=[language])
