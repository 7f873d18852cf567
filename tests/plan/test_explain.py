"""Each answer is given to the user it is meant for, with the arithmetic of their machine."""

import dataclasses

import pytest

from hornbook.plan.budget import Machines
from hornbook.plan.explain import User, decide, explain, scratch

LAPTOP = Machines(name="laptop", count=1, flops=100e9, memory=16e9, mfu=0.5)
CLUSTER = Machines(name="H100", count=64, flops=989e12, memory=80e9, mfu=0.4, price=2.5)


@pytest.mark.parametrize(
    ("user", "here", "answer"),
    [
        (User(tokens=5e4), LAPTOP, "prompt"),
        (User(tokens=2e6), LAPTOP, "prompt, with search over your text"),
        (User(tokens=2e6, examples=5000), LAPTOP, "fine-tune"),
        (User(tokens=5e8), LAPTOP, "fine-tune, going on with pretraining on your text"),
        (User(tokens=1e12, hours=720), CLUSTER, "train from scratch"),
        (User(tokens=1e8, hours=720), CLUSTER, "fine-tune, going on with pretraining on your text"),
    ],
)
def test_the_decision(user: User, here: Machines, answer: str) -> None:
    assert decide(user, here)[0] == answer
    assert explain(user, here).startswith(f"Answer: {answer}. ")


def test_what_is_affordable_by_hand() -> None:
    """A day at 5e10 operations a second is 4.32e15 = 120 N^2: 6 million parameters; or 4 D / 20 of short text."""
    assert scratch(User(tokens=1e12, hours=24), LAPTOP) == pytest.approx((4.32e15 / 120) ** 0.5)
    assert scratch(User(tokens=1e6, hours=24), LAPTOP) == pytest.approx(2e5)


def test_the_page_has_this_users_numbers() -> None:
    page = explain(User(tokens=2e6, base=1e9, private=True), LAPTOP)
    assert "1B parameters want 20B tokens (20 each: Hoffmann et al. 2022), 1.2e+20 operations, here 76 years" in page
    assert "5.0% of your text fits" in page
    assert "an adapter takes about 2.5 GB, all weights 16.0 GB; 16 GB are here, enough for all weights" in page
    assert "One pass over your text takes 44 hours" in page  # 4 * 1e9 * 2e6 / 5e10 / 3600
    assert "Privacy: your text stays here" in page
    assert "allow 400k parameters: enough to learn how it is done" in page
    assert 5 < len(page.splitlines()) < 40


def test_money_is_said_where_there_is_a_price() -> None:
    page = explain(User(tokens=1e12, hours=720, money=100.0, base=7e9), CLUSTER)
    flops = 6 * 7e9 * 20 * 7e9
    assert f"{CLUSTER.cost(flops):,.0f} of money, 100 are there" in page
    small = dataclasses.replace(LAPTOP, memory=1e9)
    assert "enough for nothing of that size" in explain(User(tokens=1e5), small)


def test_numbers_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="tokens: 0 is not above 0"):
        User(tokens=0)
    with pytest.raises(ValueError, match="neither may be below 0"):
        User(tokens=1, examples=-1)
