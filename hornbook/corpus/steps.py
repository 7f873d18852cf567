"""The steps a recipe can name, in `corpus.steps`: those about each document alone, and those that look across."""

import typing

from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.exact import ExactDuplicates

EachStep = Normalise | MinimumLength
AcrossStep = ExactDuplicates
CorpusStep = EachStep | AcrossStep

ACROSS = typing.get_args(AcrossStep) or (AcrossStep,)
