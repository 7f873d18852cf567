"""Prompt, fine-tune or train from scratch: the decision in plain sentences, with this user's numbers.

Rules of thumb, each with its source: what prompting and fine-tuning need (Zhou et al. 2023, LIMA: a thousand good
answers; Hu et al. 2021, LoRA: no more than the weights in memory), what training from scratch costs (6 N D operations,
20 tokens a parameter: Hoffmann et al. 2022) and how often text may be repeated (Muennighoff et al. 2023). Nothing is
asked: what is not said is assumed, and said to be.
"""

from dataclasses import dataclass

from hornbook.plan.budget import Machines
from hornbook.plan.laws import FLOPS, REPEATED_WELL, TOKENS_PER_PARAMETER, chinchilla, positive

PROMPT_TOKENS = 100_000  # what fits into a long context beside the question; more is searched, not shown
EXAMPLES = 1000  # from which fine-tuning pays (LIMA, section 2)
DOMAIN_TOKENS = 10e6  # of text from which going on with pretraining teaches a subject
USEFUL = 100e6  # parameters under which a model of general text writes, but answers nothing (Biderman et al. 2023)
LORA_BYTES = 2.5  # a parameter: bf16 weights, and what the adapter and activations add
FULL_BYTES = 16.0  # a parameter: Rajbhandari et al. 2020, section 3.1
FORWARD_BACKWARD = 4.0  # operations per parameter and token with frozen weights: no gradient of theirs


@dataclass(frozen=True, kw_only=True)
class User:
    """What somebody has and wants."""

    tokens: float  # of their own text
    examples: int = 0  # questions with good answers
    hours: float = 24.0  # they would wait
    money: float | None = None  # they would spend; None: only their own machine
    private: bool = False  # the text may not leave the machine
    base: float = 1e9  # parameters of the model they would prompt or fine-tune

    def __post_init__(self) -> None:
        positive(tokens=self.tokens, hours=self.hours, base=self.base)
        if self.examples < 0 or (self.money is not None and self.money < 0):
            raise ValueError(f"examples, money: {self.examples}, {self.money}; neither may be below 0, leave it out")


def explain(user: User, here: Machines) -> str:
    """One page: the answer first, then each way with its arithmetic on this machine (`here`, at its measured pace)."""
    way, why = decide(user, here)
    parts = [f"Answer: {way}. {why}", _prompting(user), _tuning(user, here), _scratch(user, here), _privacy(user)]
    assumed = (
        f"Reckoned with {user.tokens:,.0f} tokens of your text, {user.examples:,} examples, {user.hours:g} hours, "
        f"{here.count} x {here.name} at {here.count * here.flops * here.mfu:.2e} operations a second."
    )
    return "\n\n".join([*parts, assumed]) + "\n"


def decide(user: User, here: Machines) -> tuple[str, str]:
    """What to do, and the reason in a sentence."""
    affordable = scratch(user, here)
    if affordable >= USEFUL and affordable >= user.base / 2:
        reason = f"time and text are enough for {_count(affordable)} parameters of your own, half of your base or more"
        return "train from scratch", f"Your {reason}."
    if user.examples >= EXAMPLES:
        return "fine-tune", f"{user.examples:,} examples are more than the {EXAMPLES:,} from which it pays."
    if user.tokens >= DOMAIN_TOKENS:
        reason = f"{_count(user.tokens)} tokens are too many to show and too few to begin with"
        return "fine-tune, going on with pretraining on your text", f"{reason[0].upper()}{reason[1:]}."
    if user.tokens <= PROMPT_TOKENS:
        return "prompt", "All of your text fits into a prompt, and nothing has to be trained."
    return "prompt, with search over your text", "Too much to show at once, too little to learn from."


def scratch(user: User, here: Machines) -> float:
    """Parameters of the largest model that time, and text read four times at most, allow at 20 tokens each."""
    by_time = chinchilla(user.hours * 3600 * here.count * here.flops * here.mfu).parameters
    return min(by_time, REPEATED_WELL * user.tokens / TOKENS_PER_PARAMETER)


def _prompting(user: User) -> str:
    share = PROMPT_TOKENS / user.tokens
    rest = "" if share >= 1 else "; the rest is found by search when it is asked for"
    fits = (
        f"{'All' if share >= 1 else f'{share:.1%}'} of your text fits into a prompt of {PROMPT_TOKENS:,} tokens{rest}."
    )
    return f"Prompting: no training and no examples. {fits}"


def _tuning(user: User, here: Machines) -> str:
    flops = FORWARD_BACKWARD * user.base * user.tokens
    least, whole = LORA_BYTES * user.base, FULL_BYTES * user.base
    memory = here.memory * here.count
    how = "all weights" if whole <= memory else "an adapter (LoRA)" if least <= memory else "nothing of that size"
    return (
        f"Fine-tuning {_count(user.base)} parameters: an adapter takes about {least / 1e9:.1f} GB, all weights "
        f"{whole / 1e9:.1f} GB; {memory / 1e9:.0f} GB are here, enough for {how}. One pass over your text takes "
        f"{_hours(here.hours(flops))}. About {EXAMPLES:,} good examples teach a manner "
        "of answering (LIMA); facts want text."
    )


def _scratch(user: User, here: Machines) -> str:
    size = scratch(user, here)
    needed = TOKENS_PER_PARAMETER * user.base
    flops = FLOPS * user.base * needed
    price = here.cost(flops)
    paid = "" if price is None else f" and {price:,.0f} of money"
    enough = "" if price is None or user.money is None or price <= user.money else f", {user.money:,.0f} are there"
    return (
        f"From scratch: {_count(user.base)} parameters want {_count(needed)} tokens (20 each: Hoffmann et al. 2022), "
        f"{flops:.1e} operations, here {_hours(here.hours(flops))}{paid}{enough}. Your {user.hours:g} hours and your "
        f"text, read {REPEATED_WELL} times at most (Muennighoff et al. 2023), allow {_count(size)} parameters"
        f"{'' if size >= USEFUL else ': enough to learn how it is done, not to answer questions'}."
    )


def _privacy(user: User) -> str:
    if user.private:
        return "Privacy: your text stays here; prompt or tune a model with open weights on this machine, no service."
    return "Privacy: your text may leave this machine, so a service's larger model can be prompted first, as a measure."


def _hours(hours: float) -> str:
    """A span for a person.

    >>> _hours(0.5), _hours(30), _hours(1000), _hours(87600)
    ('30 minutes', '30 hours', '42 days', '10 years')
    """
    if hours < 1:
        return f"{max(hours * 60, 1):.0f} minutes"
    if hours < 48:
        return f"{hours:.0f} hours"
    return f"{hours / 24:,.0f} days" if hours < 2 * 8760 else f"{hours / 8760:,.0f} years"


def _count(number: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"
