"""Operations, time, money and energy of a training, before it is run.

Operations are 6 a parameter and token (Kaplan et al. 2020, section 2.1), parameters being those of matrices that are
multiplied with. Attention's own operations are said beside it and not counted: published GPU hours are put into MFU
(model FLOPs utilisation; Chowdhery et al. 2022, PaLM, appendix B) this way. MFU rests on what was published: 0.21 for
GPT-3, 0.46 for PaLM, 0.38 to 0.43 for Llama 3 405B; 0.3 to 0.5 is usual, and a first run lies below.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from hornbook.core.errors import UserError
from hornbook.model.cost import cost
from hornbook.model.models import Model
from hornbook.plan.accelerators import Accelerator

MFU = 0.40
USUAL = (0.30, 0.50)  # of well-tuned trainings on many devices
AROUND = 1.2  # kWh drawn from the grid for one at the device's plug: cooling, network, hosts
CHINCHILLA = 20  # tokens a parameter (Hoffmann et al. 2022, table 3)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Devices, what is got out of them, and what they cost; None: as the table says."""

    device: Accelerator
    count: int = 1
    mfu: float = MFU
    price: float | None = None  # dollars an hour and device
    half: bool = True  # bf16 matrices
    grams: float | None = None  # of CO2 a kWh; None: not said

    def __post_init__(self) -> None:
        if not 0 < self.mfu <= 1:
            raise UserError(f"--mfu: {self.mfu} is no share of the peak; give one above 0, up to 1, such as 0.4")
        if self.price is not None and not 0 <= self.price < math.inf:
            raise UserError(f"--price: {self.price} is no price; give dollars for an hour of one device, such as 2.50")
        if self.grams is not None and not 0 <= self.grams < math.inf:
            raise UserError(f"--grams: {self.grams} is no weight; give grams of CO2 for a kWh, such as 350")

    @property
    def speed(self) -> float:
        """Operations a second, of all devices."""
        return self.count * self.mfu * 1e12 * (self.device.half if self.half else self.device.single)


@dataclass(frozen=True)
class Bill:
    """What a training takes."""

    flops: float
    hours: float  # of devices, together
    days: float  # from beginning to end
    dollars: float
    kwh: float
    kilograms: float | None  # CO2


@lru_cache(maxsize=64)
def multiplied(model: Model) -> float:
    """Parameters of matrices, as often as a token meets them: without tables that are looked up, with a tied head."""
    return cost(model, 1).flops / 2 - _attention(model, 1)


def attention_share(model: Model, length: int) -> float:
    """Attention's own operations in rows of this length, as a share of the matrices'."""
    return _attention(model, length) / multiplied(model)


@lru_cache(maxsize=64)
def _attention(model: Model, length: int) -> float:
    """Multiplications per token that grow with the row."""
    longer, shorter = cost(model, 2 * length).flops, cost(model, length).flops
    return (longer - shorter) / 2


def operations(model: Model, tokens: float) -> float:
    """Of a whole training."""
    return 6 * multiplied(model) * tokens


def bill(model: Model, tokens: float, fleet: Fleet, *, slower: float = 1.0) -> Bill:
    """Time and money for reading `tokens`; `slower`: how much longer than by MFU alone."""
    flops = operations(model, tokens)
    seconds = flops / fleet.speed * slower
    hours = seconds * fleet.count / 3600
    price = fleet.device.price if fleet.price is None else fleet.price
    kwh = hours * fleet.device.watts / 1000 * AROUND
    weight = None if fleet.grams is None else kwh * fleet.grams / 1000
    return Bill(flops, hours, seconds / 86400, hours * price, kwh, weight)


def affordable(model: Model, dollars: float, fleet: Fleet) -> float:
    """Tokens that a sum of money reads."""
    price = fleet.device.price if fleet.price is None else fleet.price
    if dollars <= 0 or price <= 0:
        raise UserError(f"--budget: {dollars:g}$ at {price:g}$ an hour says nothing; give both above 0")
    return dollars / price * 3600 * fleet.speed / fleet.count / (6 * multiplied(model))
