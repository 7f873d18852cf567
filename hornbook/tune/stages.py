"""Every stage that may follow a base model; a recipe's `stages:` name them by `type:`."""

from hornbook.tune.answers import Answers
from hornbook.tune.check import Check
from hornbook.tune.classify import Classify
from hornbook.tune.continued import Continue
from hornbook.tune.critique import Critique
from hornbook.tune.distill import Distill
from hornbook.tune.embedder import Embedder, MaskedNext
from hornbook.tune.grpo import Grpo
from hornbook.tune.instruct import Instruct
from hornbook.tune.judge import Judge
from hornbook.tune.knowledge import Knowledge
from hornbook.tune.ppo import Ppo
from hornbook.tune.prefer import Prefer
from hornbook.tune.reward import Reward

Stage = (
    Answers
    | Check
    | Classify
    | Continue
    | Critique
    | Distill
    | Embedder
    | Grpo
    | Instruct
    | Judge
    | Knowledge
    | MaskedNext
    | Ppo
    | Prefer
    | Reward
)
