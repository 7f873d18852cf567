"""Secrets: keys by their beginnings, by their names, and in blocks."""

# ruff: noqa: RUF001  # Chinese punctuation is meant

import pytest

from hornbook.corpus import private_secrets as secrets
from hornbook.corpus.private_numbers import Finder

MIXED = "q7Zp2Lx9Vb4Nc8Kd1Ws6Tg3Yh5Rj0Fm"


def found(finder: Finder, text: str) -> list[str]:
    return [text[start:end] for start, end in finder(text)]


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("Ann <ann.b+c@mail.example.org>, 'bob@example.com'.", ["ann.b+c@mail.example.org", "bob@example.com"]),
        ("邮箱zhang@example.cn联系，wang＠example.cn", ["zhang@example.cn", "wang＠example.cn"]),
        ("--ann@example.org {bob@example.org}", ["ann@example.org", "bob@example.org"]),
        ("@ann, a@b, react@18.2.0, @@example.org, a@-b.org", []),
        ("x" * 65 + "@example.org", []),
    ],
)
def test_emails(text: str, emails: list[str]) -> None:
    assert found(secrets.emails, text) == emails


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (f"api_key = '{MIXED}'", [MIXED]),
        (f"App-Secret: {MIXED}", [MIXED]),
        (f"密码：{MIXED}", [MIXED]),
        (f"key = {MIXED}", []),  # of what? a table's keys are no secrets
        (f"hf_{MIXED}", []),  # theirs have letters only
        ("password = read_password_from_file", []),
        ("token: 1234567890123456", []),
        (f"sk-{MIXED}", [f"sk-{MIXED}"]),
        (f"task-{MIXED}", []),
    ],
)
def test_keys(text: str, keys: list[str]) -> None:
    assert found(secrets.api_keys, text) == keys


def test_key_blocks() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    assert found(secrets.private_keys, f"a {begin}\\nAb1\\n{end} b") == [f"{begin}\\nAb1\\n{end}"]
    assert found(secrets.private_keys, f"{begin}{' x' * 20_000}{end}") == [begin], "no block is so long"
    assert found(secrets.private_keys, f"{end} {begin} {begin}") == [begin, begin]
    assert found(secrets.private_keys, "-----BEGIN PUBLIC KEY----- PRIVATE KEY") == []
