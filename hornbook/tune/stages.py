"""Every stage that may follow a base model; a recipe's `stages:` name them by `type:`."""

from hornbook.tune.check import Check
from hornbook.tune.continued import Continue
from hornbook.tune.critique import Critique
from hornbook.tune.instruct import Instruct
from hornbook.tune.judge import Judge

Stage = Check | Continue | Critique | Instruct | Judge
