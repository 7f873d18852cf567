"""Every stage that may follow a base model; a recipe's `stages:` name them by `type:`."""

from typing import Any

Stage = Any
