"""A question draws by a seed of its own: of what is asked and which try it is, not of where it stands."""

from hornbook.generate.question import Question

TALK = ({"role": "user", "content": "How good is this? 很好"},)


def test_a_seed_is_the_questions_own() -> None:
    question = Question(talk=TALK, max_new_tokens=8)
    assert question.seed == Question(talk=TALK, max_new_tokens=99, temperature=0.7).seed
    assert question.seed != Question(talk=TALK, max_new_tokens=8, attempt=1).seed
    other = ({"role": "user", "content": "How good is that?"},)
    assert question.seed != Question(talk=other, max_new_tokens=8).seed
    assert 0 <= question.seed < 2**31
