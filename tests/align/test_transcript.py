from hornbook.align.transcript import last_user, messages_of, transcript
from hornbook.align.words import Words

TEXT = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: What is 1 + 1?"


def test_a_transcript_and_back() -> None:
    messages = messages_of(TEXT)
    assert transcript(messages, Words()) == TEXT
    assert last_user(messages) == "What is 1 + 1?"


def test_who_speaks_may_have_a_name_of_their_own_and_the_system_has_none() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "name": "CritiqueRequest", "content": "Is it kind?"},
    ]
    assert (
        transcript(messages, Words(), then="Critique") == "\n\nBe brief.\n\nCritiqueRequest: Is it kind?\n\nCritique:"
    )
    assert transcript(messages_of("Hi"), Words(human="用户"), then="助手") == "\n\n用户: Hi\n\n助手:"


def test_nobody_has_spoken() -> None:
    assert last_user([]) == ""
