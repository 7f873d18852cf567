"""What people's ratings come to: win rates, strengths, means on scales, and whether the raters agree.

A prompt counts once, however many people judged it: their judgements of it are averaged first, since they are of the
same two texts. A tie and "both bad" are half a win for each model. The interval of a win rate is Wilson's over prompts,
which halves make a little too wide and never too narrow.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from hornbook.evaluate import agreement
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.judgements import Rating
from hornbook.evaluate.statistics import LEVEL, mcnemar

POINTS = {"a": 1.0, "b": 0.0, "tie": 0.5, "bad": 0.5}  # for the first of the two models
Thing = tuple[str, tuple[str, ...]]  # a prompt and whose answers to it were shown


@dataclass(frozen=True)
class WinRate:
    """Of one model against another."""

    value: float
    interval: tuple[float, float]
    """95 %, Wilson's."""
    chance: float
    """Of as many prompts on one side, or more, if both were equally good: the sign test, ties left out (p)."""
    prompts: int
    counts: Mapping[str, int]
    """Judgements: a (the first is better), b, tie, bad."""

    def sentence(self, first: str, second: str) -> str:
        """What it says, in words.

        >>> WinRate(0.7, (0.52, 0.83), 0.02, 30, {"a": 20, "b": 8, "tie": 1, "bad": 1}).sentence("x", "y")
        'x is better than y: it wins 0.700 (0.520 to 0.830; p 0.02, sign test, 30 prompts)'
        """
        low, high = self.interval
        told = f"({low:.3f} to {high:.3f}; p {self.chance:.2g}, sign test, {self.prompts:,} prompts)"
        if self.chance >= LEVEL:
            return f"no difference between {first} and {second} can be told: {first} wins {self.value:.3f} {told}"
        if self.value > 0.5:
            return f"{first} is better than {second}: it wins {self.value:.3f} {told}"
        return f"{second} is better than {first}, which wins {self.value:.3f} {told}"


def win_rate(ratings: Sequence[Rating], first: str, second: str) -> WinRate:
    """What the judgements of a pair come to; those of other models are left aside."""
    points, counts = defaultdict(list), dict.fromkeys(POINTS, 0)
    for rating in ratings:
        if set(rating.models) == {first, second}:
            points[rating.id].append(points_of(rating, first))
            counts[_as_seen_from(rating, first)] += 1
    of_prompts = [fmean(each) for each in points.values()]
    value = fmean(of_prompts) if of_prompts else math.nan
    for_first, for_second = sum(each > 0.5 for each in of_prompts), sum(each < 0.5 for each in of_prompts)
    interval = wilson(sum(of_prompts), len(of_prompts))
    return WinRate(value, interval, mcnemar(for_first, for_second), len(of_prompts), counts)


def points_of(rating: Rating, model: str) -> float:
    """1 where a model was better, 0 where the other was, else a half."""
    return POINTS[_as_seen_from(rating, model)]


def _as_seen_from(rating: Rating, model: str) -> str:
    said = str(rating.said)
    return said if model == rating.models[0] else {"a": "b", "b": "a"}.get(said, said)


def wins(ratings: Sequence[Rating], models: Sequence[str]) -> NDArray[np.float64]:
    """(prompts, models, models): how often i beat j on a prompt, as a share of those who judged the two."""
    said: dict[str, dict[tuple[str, ...], list[float]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        said[rating.id][rating.models].append(points_of(rating, rating.models[0]))
    found, place = np.zeros((len(said), len(models), len(models))), {name: i for i, name in enumerate(models)}
    for number, pairs in enumerate(said.values()):
        for (a, b), points in pairs.items():
            found[number, place[a], place[b]] += fmean(points)
            found[number, place[b], place[a]] += 1 - fmean(points)
    return found


def left(ratings: Sequence[Rating]) -> tuple[int, int]:
    """How often the answer on the left was the better one, of how many where one was."""
    decided = [rating for rating in ratings if rating.said in ("a", "b") and rating.side]
    return sum(rating.said == rating.side for rating in decided), len(decided)


def seconds(ratings: Sequence[Rating]) -> float:
    """That a judgement took: the median."""
    return median(rating.seconds for rating in ratings) if ratings else math.nan


def marks(ratings: Sequence[Rating], model: str, scale: str) -> dict[str, float]:
    """The mean of what a model's answer to each prompt was given on a scale: {prompt: number}."""
    found = defaultdict(list)
    for rating in ratings:
        if rating.models == (model,) and isinstance(rating.said, Mapping) and scale in rating.said:
            found[rating.id].append(rating.said[scale])
    return {id: fmean(numbers) for id, numbers in found.items()}


@dataclass(frozen=True)
class Agreement:
    """Among raters, of one kind of judgement. NaN: it cannot be said."""

    of: str  # "verdicts", or the name of a scale
    things: int
    """That two raters or more judged."""
    same: float
    """The share of pairs of raters' judgements of one thing that are the same."""
    kappas: Mapping[tuple[str, str], tuple[float, int]]
    """Of every two raters Cohen's kappa, on scales with squared weights, and of how many things."""
    fleiss: float
    """Of three raters or more, over what all of them judged; only of verdicts."""
    alpha: float
    """Krippendorff's, over everything."""


def agreements(ratings: Sequence[Rating], scales: Sequence[str] = ()) -> list[Agreement]:
    """Whether raters agree, on each scale, or on verdicts."""
    said: dict[str, dict[Thing, dict[str, Hashable]]] = {name: defaultdict(dict) for name in scales or ("verdicts",)}
    for rating in ratings:
        each = rating.said if isinstance(rating.said, Mapping) else {"verdicts": rating.said}
        for name in said.keys() & each.keys():
            said[name][rating.id, rating.models][rating.rater] = each[name]
    return [_agreement(name, [*things.values()], numbers=bool(scales)) for name, things in said.items()]


def _agreement(name: str, things: Sequence[Mapping[str, Hashable]], *, numbers: bool) -> Agreement:
    raters = sorted({rater for thing in things for rater in thing})
    kappas = {}
    for one, other in combinations(raters, 2):
        both = [(thing[one], thing[other]) for thing in things if one in thing and other in thing]
        kappa = agreement.weighted if numbers else agreement.cohen
        if both:
            kappas[one, other] = kappa(*zip(*both, strict=True)), len(both)
    said = [[*thing.values()] for thing in things]
    by_all = [each for each in said if len(each) == len(raters)]
    pairs = [pair for each in said for pair in combinations(each, 2)]
    return Agreement(
        name,
        sum(len(each) > 1 for each in said),
        fmean(one == other for one, other in pairs) if pairs else math.nan,
        kappas,
        agreement.fleiss(by_all) if len(raters) > 2 and not numbers else math.nan,
        agreement.krippendorff(said, agreement.squared if numbers else agreement.unlike),
    )
