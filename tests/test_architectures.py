"""docs/architectures.md: no recipe is missing, no figure is wrong, and what is published is near what is counted."""

import re
from pathlib import Path

import pytest

from hornbook.core import recipe
from hornbook.model.cost import cost
from hornbook.model.models import Model

DOCS = Path(__file__).parents[1] / "docs"
NAMES = {name[7:] for name in recipe.built_in_names() if name.startswith("models/")}
OF_RECIPES = {"demo", "demo-small", "student"}  # their sizes follow a tokenizer
ROUND = {"transformer-base": 0.031, "esm2-8m": 0.065, "falcon-40b": 0.035}  # published figures that are names
PAGES = ["architectures.md", "architectures.zh.md"]


def rows(page: str) -> list[list[str]]:
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if not set(row[0]) <= set("-")]


def architectures(page: str) -> list[list[str]]:
    return [row for row in rows(page) if row[0].isdigit()]


def sizes(page: str) -> list[list[str]]:
    return [row for row in rows(page) if row[0] in NAMES]


@pytest.mark.parametrize("page", PAGES)
def test_every_recipe_has_its_architecture_once(page: str) -> None:
    listed = [name for row in architectures(page) for name in re.findall(r"\[([\w.-]+)\]\(", row[5])]
    assert sorted(listed) == sorted(NAMES - OF_RECIPES)
    years = [int(row[0]) for row in architectures(page)]
    assert years == sorted(years)
    for row in architectures(page):
        for link in re.findall(r"\]\(([^)]+)\)", " ".join(row)):
            assert (DOCS / link).resolve().is_file(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_real_size_is_there(page: str) -> None:
    real = {name for name in NAMES - OF_RECIPES if not name.endswith("-tiny")}
    assert [row[0] for row in sizes(page)] == sorted(real, key=[row[0] for row in sizes(page)].index)


def test_both_pages_have_the_same_figures() -> None:
    assert sizes(PAGES[0]) == sizes(PAGES[1])
    assert [row[::5] for row in architectures(PAGES[0])] == [row[::5] for row in architectures(PAGES[1])]


@pytest.mark.parametrize("row", sizes(PAGES[0]), ids=lambda row: row[0])
def test_a_figure_is_the_count_and_near_what_is_published(row: list[str]) -> None:
    name, said, published = row
    config: Model = recipe.load(Model, f"models/{name}")
    counted = cost(config).parameters
    assert said == f"{counted:,}"
    if not published:
        return
    unit = {"M": 1e6, "B": 1e9}.get(published[-1])
    if unit is None:
        assert published == said
    else:
        assert counted == pytest.approx(float(published[:-1]) * unit, rel=ROUND.get(name, 0.03))
