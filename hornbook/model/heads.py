"""Every head an encoder or a decoder may have; a recipe's `head:` names one."""

from hornbook.model.classifier import Regression, SequenceClassifier, TokenClassifier
from hornbook.model.head import Language
from hornbook.model.masked_head import Masked, Pretraining
from hornbook.model.pool import NextSentence, Pooled

TokenHead = Language | Masked | TokenClassifier  # says something of every place
RowsHead = NextSentence | SequenceClassifier | Regression | Pooled  # says something of a row as a whole
Heads = TokenHead | RowsHead | Pretraining
DecoderHead = Language | SequenceClassifier | Regression
