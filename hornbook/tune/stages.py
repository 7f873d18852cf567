"""Every stage that may follow a base model; a recipe's `stages:` name them by `type:`."""

from hornbook.tune.continued import Continue
from hornbook.tune.instruct import Instruct

Stage = Continue | Instruct
