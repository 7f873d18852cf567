"""The steps a recipe can name, in `corpus.steps`: those about each document alone, and those that look across."""

import typing

from hornbook.corpus.bad_words import BadWords
from hornbook.corpus.c4 import C4, C4Paragraphs
from hornbook.corpus.chinese import ChineseQuality
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.decontaminate import Decontaminate
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.extract import Extract
from hornbook.corpus.fineweb import FineWeb
from hornbook.corpus.gopher import GopherQuality
from hornbook.corpus.gopher_repetition import GopherRepetition
from hornbook.corpus.gutenberg import Gutenberg
from hornbook.corpus.language import DetectedLanguage, ScriptLanguage
from hornbook.corpus.near import NearDuplicates
from hornbook.corpus.paragraphs import RepeatedParagraphs
from hornbook.corpus.perplexity import Perplexity
from hornbook.corpus.private import PrivateData
from hornbook.corpus.private_names import NamedEntities
from hornbook.corpus.quality import Quality
from hornbook.corpus.refinedweb import RefinedWebLines
from hornbook.corpus.source_code import CodeQuality
from hornbook.corpus.substrings import RepeatedSubstrings
from hornbook.corpus.urls import UrlBlockList

Wrapped = Extract | Gutenberg
Tidy = Normalise | MinimumLength
Heuristic = GopherQuality | GopherRepetition | C4 | C4Paragraphs | FineWeb | RefinedWebLines | ChineseQuality
Listed = CodeQuality | UrlBlockList | BadWords | DetectedLanguage | ScriptLanguage
EachStep = Wrapped | Tidy | Heuristic | Listed | PrivateData | NamedEntities | Quality | Perplexity
AcrossStep = ExactDuplicates | NearDuplicates | RepeatedParagraphs | RepeatedSubstrings | Decontaminate
CorpusStep = EachStep | AcrossStep

ACROSS = typing.get_args(AcrossStep)
