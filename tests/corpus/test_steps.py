"""The contract of every step that a recipe can name, whoever wrote it: on documents of every kind."""

import pickle
import typing
from pathlib import Path

import pyarrow as pa
import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.corpus.bad_words import BadWords
from hornbook.corpus.clean import Normalise
from hornbook.corpus.decontaminate import Decontaminate
from hornbook.corpus.document import Across, Document
from hornbook.corpus.steps import ACROSS, CorpusStep, EachStep
from hornbook.corpus.urls import UrlBlockList
from tests.corpus.over_tasks import across

ENGLISH = (
    "The ship came in with the tide. It had been away for three years, and nobody on the quay knew the men on board."
)
CHINESE = "学而时习之、不亦说乎。有朋自远方来、不亦乐乎。人不知而不愠、不亦君子乎。"
TEXTS = [
    ENGLISH * 12,
    ENGLISH,
    f"{ENGLISH}\n\n" * 5,
    CHINESE * 20,
    CHINESE,
    "- one\n- two\n- three\n" * 20,
    "buy now " * 200,
    "def f(x):\n    return {x}\n" * 9,
    "",
    " \n",
    "\ufeffa\r\nb\0c \ud800",
    "x" * 5_000,
    "\n".join(["word"] * 3_000),
    "mail me: someone@example.org, 13812345678, 8.8.8.8",
]
DOCUMENTS = [
    Document(str(number), text, "s", url="http://example.org/a", language=("en", "zh", None)[number % 3])
    for number, text in enumerate([*TEXTS, *TEXTS[:5]])
]


def normalised(documents: list[Document]) -> list[Document]:
    """As every step but the first gets them: what UTF-8 cannot hold is gone."""
    return Normalise()(documents).kept


def members(union: object) -> list[type]:
    return list(typing.get_args(union)) or [typing.cast(type, union)]


COPIES = [kind for kind in ACROSS if kind is not Decontaminate]  # which needs an evaluation set: its own test
NEEDED = {UrlBlockList: {"domains": "example.net"}, BadWords: {"lists": {"en": "badword"}}}
"""What a step cannot do without: a word stands for a file with that line."""


def step_of(kind: type, folder: Path) -> typing.Any:
    """With its defaults, and a file where it needs one."""
    (folder / "list.txt").write_text("badword\nexample.net\n")
    path = str(folder / "list.txt")
    given = {
        name: dict.fromkeys(value, path) if isinstance(value, dict) else path
        for name, value in NEEDED.get(kind, {}).items()
    }
    return recipe.parse(kind, given)


def test_every_step_has_a_name_of_its_own() -> None:
    kinds = members(CorpusStep)
    assert len({recipe.tag(kind) for kind in kinds}) == len(kinds)
    assert {kind for kind in kinds if issubclass(kind, Across)} == set(ACROSS)
    assert set(members(EachStep)) | set(ACROSS) == set(kinds)


@pytest.mark.parametrize("kind", members(EachStep), ids=recipe.tag)
def test_a_step_decides_about_each_document_alone(kind: type, tmp_path: Path) -> None:
    """Whatever the batches; and every document that came in is kept or dropped with a reason."""
    try:
        config = pickle.loads(pickle.dumps(step_of(kind, tmp_path)))
        step = config.build()
    except UserError as error:  # wants a model, or a package that is not installed
        pytest.skip(str(error))
    documents = DOCUMENTS if kind is Normalise else normalised(DOCUMENTS)
    whole = step(documents)
    parts = [config.build()([document]) for document in documents]
    assert whole.kept == [document for part in parts for document in part.kept]
    assert whole.dropped == [pair for part in parts for pair in part.dropped]
    assert whole.changed == [pair for part in parts for pair in part.changed]
    ids = [document.id for document in whole.kept] + [document.id for document, _ in whole.dropped]
    assert sorted(ids) == sorted(document.id for document in documents)
    assert step([]).kept == []
    reasons = [reason for _, reason in whole.dropped + whole.changed]
    assert all(reason and len(reason) < 60 for reason in reasons), "a short phrase"
    assert isinstance(step.name, str)


@pytest.mark.parametrize("kind", COPIES, ids=recipe.tag)
def test_a_step_across_documents_notes_the_same_whoever_asks(kind: type, tmp_path: Path) -> None:
    config = pickle.loads(pickle.dumps(kind()))
    assert recipe.parse(kind, recipe.dump(config)) == config
    documents = normalised(DOCUMENTS)
    whole = config.build().scan(documents)
    parts = [kind().build().scan(documents[start : start + 3]) for start in range(0, len(documents), 3)]
    assert config.scan([]).schema == whole.schema
    assert pa.Table.from_batches(parts).combine_chunks().to_pydict() == whole.to_pydict()
    result = across(config, [documents[:7], [], documents[7:]], tmp_path)
    ids = [document.id for document in result.kept] + [document.id for document, _ in result.dropped]
    assert sorted(ids) == sorted(document.id for document in documents)
    assert len(result.dropped) + len(result.changed) >= 3, "copies were planted"


@pytest.mark.parametrize("kind", COPIES, ids=recipe.tag)
def test_no_documents_at_all(kind: type, tmp_path: Path) -> None:
    assert across(kind(), [[], []], tmp_path).kept == []
