"""What a loss will be, and how large a model a budget of operations should buy: the published scaling laws, as numbers.

L(N, D) = E + A / N^alpha + B / D^beta for N parameters and D tokens (Hoffmann et al. 2022, arXiv 2203.15556, section
3.3); with C = 6 N D operations the best N is G (C/6)^a and the best D is (C/6)^b / G, where a = beta / (alpha + beta),
b = alpha / (alpha + beta) and G = (alpha A / (beta B))^(1 / (alpha + beta)) (their equation 4). Losses are nats per
token of their tokenizers and texts: they compare designs, they do not foretell another corpus's loss (fit.py does).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

FLOPS = 6.0  # per parameter and token: two operations forward and four back (Kaplan et al. 2020, section 2.1)
TOKENS_PER_PARAMETER = 20.0  # Hoffmann et al. 2022: 1.4e12 tokens for 70e9 parameters
PETAFLOP_DAY = 1e15 * 86400
REPEATED_WELL = 4  # passes that are nearly as good as new text (Muennighoff et al. 2023, section 5)
REPEATED_IN_VAIN = 40  # from here on another pass brings next to nothing (their figure 5)
SEARCHED, PER_DECADE = 4.0, 500  # decades to each side of the law's size, in which `Repetition.best` looks


@dataclass(frozen=True)
class Best:
    """What a budget should buy."""

    parameters: float
    tokens: float
    loss: float | None  # nats per token; None: the rule says none

    @property
    def flops(self) -> float:
        """Operations of the training."""
        return FLOPS * self.parameters * self.tokens

    @property
    def tokens_per_parameter(self) -> float:
        """How often a parameter's worth of text is read."""
        return self.tokens / self.parameters


@dataclass(frozen=True, kw_only=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta."""

    E: float  # what no model of any size will learn: the entropy of the text, nats per token
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        """Nats per token of a model of so many parameters after so many tokens, none of them read twice."""
        positive(parameters=parameters, tokens=tokens)
        return float(self.E + self.A / parameters**self.alpha + self.B / tokens**self.beta)

    @property
    def size_exponent(self) -> float:
        """The a of N_best = G (C/6)^a."""
        return self.beta / (self.alpha + self.beta)

    @property
    def token_exponent(self) -> float:
        """The b of D_best = (C/6)^b / G."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def G(self) -> float:
        """Balances the two terms."""
        return float((self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta)))

    def best(self, flops: float) -> Best:
        """The size and the tokens of the lowest loss for a budget of operations."""
        positive(flops=flops)
        parameters = self.G * (flops / FLOPS) ** self.size_exponent
        tokens = flops / FLOPS / parameters
        return Best(parameters, tokens, self.loss(parameters, tokens))

    def flops_for(self, parameters: float) -> float:
        """The budget for which so many parameters are best (as table A3 of the paper is read)."""
        positive(parameters=parameters)
        return float(FLOPS * (parameters / self.G) ** (1 / self.size_exponent))

    def parameters_for(self, tokens: float) -> float:
        """The size that is best for so many tokens."""
        positive(tokens=tokens)
        return float(self.G * (tokens * self.G) ** (self.beta / self.alpha))


# Hoffmann et al. 2022, equation 10 rounds these to 1.69, 406.4, 410.7, 0.34 and 0.28. The digits that the rounding took
# move the best size for Gopher's budget by a fifth; Besiroglu et al. 2024, section 2, read them in the paper's source.
HOFFMANN = Law(E=1.6934, A=406.4, B=410.7, alpha=0.3392, beta=0.2849)

# Besiroglu et al. 2024 (arXiv 2404.10102), table 1: the runs read off the paper's figure 4 and fitted to convergence.
# 20 tokens a parameter follow from this one, as from Hoffmann's other two approaches.
EPOCH = Law(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)

# Muennighoff et al. 2023 (arXiv 2305.16264), appendix A: C4, one pass, alpha = beta as the 20 tokens rule has it.
MUENNIGHOFF = Law(E=math.exp(0.6254804), A=math.exp(6.255414), B=math.exp(7.3049974), alpha=0.3526596, beta=0.3526596)


def chinchilla(flops: float) -> Best:
    """The rule of thumb: 20 tokens a parameter.

    >>> best = chinchilla(5.88e23)  # 6 * 70e9 * 1.4e12
    >>> round(best.parameters / 1e9), round(best.tokens / 1e12, 1)
    (70, 1.4)
    """
    positive(flops=flops)
    parameters = math.sqrt(flops / FLOPS / TOKENS_PER_PARAMETER)
    return Best(parameters, TOKENS_PER_PARAMETER * parameters, None)


@dataclass(frozen=True)
class Kaplan:
    """Kaplan et al. 2020 (arXiv 2001.08361): N without embeddings, constants of its equation 1.5, table 2 and table 6.

    It counts small models without their embeddings and so gives size too much and tokens too little (Pearce & Song
    2024, arXiv 2406.12907); here for comparison.
    """

    SIZE_EXPONENT: ClassVar[float] = 0.73  # table 6: N = 1.3e9 C^0.73, C in PF-days
    SIZE_AT_ONE: ClassVar[float] = 1.3e9

    alpha_size: float = 0.076
    alpha_data: float = 0.103
    size: float = 6.4e13
    data: float = 1.8e13

    def loss(self, parameters: float, tokens: float) -> float:
        """Nats per token of WebText2, equation 1.5."""
        positive(parameters=parameters, tokens=tokens)
        of_size = (self.size / parameters) ** (self.alpha_size / self.alpha_data)
        return float((of_size + self.data / tokens) ** self.alpha_data)

    def best(self, flops: float) -> Best:
        """Most of a larger budget goes into size."""
        positive(flops=flops)
        parameters = self.SIZE_AT_ONE * (flops / PETAFLOP_DAY) ** self.SIZE_EXPONENT
        tokens = flops / FLOPS / parameters
        return Best(parameters, tokens, self.loss(parameters, tokens))


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """Text read more than once is worth less each time, and so is size beyond what the text can fill.

    Muennighoff et al. 2023, equations 5 and 6: D' = U + U R* (1 - exp(-R / R*)) for U new tokens read R times more.
    """

    law: Law = MUENNIGHOFF
    tokens: float = 15.387756  # R*_D: repeats after which another is worth 1/e of new text (appendix A)
    parameters: float = 5.309743  # R*_N

    def worth(self, unique: float, repeats: float, *, of: float | None = None) -> float:
        """Unique tokens that would teach as much as `unique` ones read once and `repeats` times again.

        >>> round(Repetition().worth(100e9, 3) / 100e9, 2)  # four passes are worth 3.7 of new text
        3.73
        """
        decay = of or self.tokens
        return unique + unique * decay * (1 - math.exp(-repeats / decay))

    def loss(self, parameters: float, tokens: float, unique: float) -> float:
        """Nats per token after `tokens`, of which `unique` are different ones."""
        positive(parameters=parameters, tokens=tokens, unique=unique)
        unique = min(unique, tokens)
        enough = min(self.law.parameters_for(unique), parameters)
        size = self.worth(enough, parameters / enough - 1, of=self.parameters)
        return self.law.loss(size, self.worth(unique, tokens / unique - 1))

    def best(self, flops: float, unique: float) -> Best:
        """The lowest loss for a budget when there are only `unique` tokens."""
        positive(flops=flops, unique=unique)
        middle = self.law.best(flops).parameters
        steps = round(SEARCHED * PER_DECADE)
        sizes = [middle * 10 ** (step / PER_DECADE) for step in range(-steps, steps + 1)]
        found = (Best(size, flops / FLOPS / size, None) for size in sizes)
        scored = [Best(b.parameters, b.tokens, self.loss(b.parameters, b.tokens, unique)) for b in found]
        return min(scored, key=lambda best: best.loss or math.inf)


def positive(**numbers: float) -> None:
    """Refuse what no law speaks of."""
    for name, value in numbers.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name}: {value} is not above 0; give a count such as 1e9")
