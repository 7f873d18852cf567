"""Is a model right as often as it says? Predicted probabilities against the share that came true, bin by bin.

The data of a reliability diagram and the expected calibration error (Naeini et al. 2015; Guo et al. 2017, equation 3):
the mean gap between both, weighted by how many predictions fall into a bin.
"""

from collections.abc import Sequence
from typing import Any

from hornbook.evaluate.interval import wilson


def reliability(
    predicted: Sequence[float], right: Sequence[bool], *, bins: int = 10, low: float = 0.0
) -> list[dict[str, Any]]:
    """Each bin of [low, 1] that has predictions: their mean, the share that was right with its interval, how many.

    >>> [(each["predicted"], each["right"]) for each in reliability([0.9, 0.9, 0.1], [True, False, False], bins=2)]
    [(0.1, 0.0), (0.9, 0.5)]
    """
    members: list[list[int]] = [[] for _ in range(bins)]
    for number, probability in enumerate(predicted):
        members[min(int((probability - low) / (1 - low) * bins), bins - 1)].append(number)
    found = []
    for those in filter(None, members):
        hits = sum(right[number] for number in those)
        mean = sum(predicted[number] for number in those) / len(those)
        entry = {"predicted": mean, "right": hits / len(those), "interval": list(wilson(hits, len(those)))}
        found.append({**entry, "of": len(those)})
    return found


def calibration_error(diagram: Sequence[dict[str, Any]]) -> float:
    """The mean gap of a reliability diagram, weighted by its bins' sizes.

    >>> round(calibration_error(reliability([0.9, 0.9, 0.1], [True, False, False], bins=2)), 6)
    0.3
    """
    total = sum(each["of"] for each in diagram)
    return float(sum(each["of"] * abs(each["predicted"] - each["right"]) for each in diagram) / max(total, 1))
