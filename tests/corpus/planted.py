"""Private data made up for tests, in English and Chinese sentences: all pass their checks, none is anybody's."""

import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hornbook.corpus.checksums import CARDS, IBAN_LENGTHS, RESIDENT_CHECKS, RESIDENT_WEIGHTS
from hornbook.corpus.private import Kind

DIGITS, CAPITALS = string.digits, string.ascii_uppercase
MIXED = string.ascii_letters + DIGITS


class Planted(NamedTuple):
    text: str
    kind: Kind
    value: str


def signs(chance: random.Random, alphabet: str, count: int) -> str:
    return "".join(chance.choices(alphabet, k=count))


def email(chance: random.Random) -> str:
    name = signs(chance, string.ascii_lowercase, chance.randint(2, 12)) + chance.choice(
        ["", ".li", "_88", "+news", "-x"]
    )
    host = signs(chance, string.ascii_lowercase, chance.randint(2, 9)) + chance.choice(
        [".com", ".co.uk", ".edu.cn", ".org"]
    )
    return f"{name}@{host}"


def phone(chance: random.Random) -> str:
    area, exchange = chance.choice(["212", "415", "986", "780"]), chance.randint(200, 999)
    line = f"{chance.randint(0, 9999):04d}"
    mobile = chance.choice(["138", "159", "186", "199", "147"]) + signs(chance, DIGITS, 8)
    return chance.choice(
        [
            f"({area}) {exchange}-{line}", f"{area}-{exchange}-{line}", f"{area}.{exchange}.{line}",
            f"+1 {area} {exchange} {line}", f"1-{area}-{exchange}-{line}", f"{area}-{exchange}-{line} ext. 12",
            f"+44 20 7{exchange} {line}", f"+49 (0)30 {signs(chance, DIGITS, 7)}", f"+33 6 12 34 {line}",
            f"0049 30 {signs(chance, DIGITS, 7)}", f"+91{signs(chance, '6789', 10)}",
            mobile, f"+86 {mobile}",
            f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}", f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}",
        ]
    )  # fmt: skip


def card(chance: random.Random) -> str:
    starts, lengths = chance.choice(CARDS)
    begin, length = chance.choice(starts), chance.choice(lengths)
    body = begin + signs(chance, DIGITS, length - len(begin) - 1)
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in body[::-2]) + sum(map(int, body[-2::-2]))
    number = body + str(-doubled % 10)
    if length == 16 and chance.random() < 0.6:
        return chance.choice(" -").join(number[i : i + 4] for i in range(0, 16, 4))
    return number


def iban(chance: random.Random) -> str:
    country = chance.choice(sorted(IBAN_LENGTHS))
    body = signs(chance, DIGITS + CAPITALS, IBAN_LENGTHS[country] - 4)
    remainder = int("".join(str(int(sign, 36)) for sign in f"{body}{country}00")) % 97
    account = f"{country}{98 - remainder:02d}{body}"
    return " ".join(account[i : i + 4] for i in range(0, len(account), 4)) if chance.random() < 0.5 else account


def ssn(chance: random.Random) -> str:
    area = chance.choice([number for number in range(1, 900) if number != 666])
    return f"{area:03d}-{chance.randint(1, 99):02d}-{chance.randint(1, 9999):04d}"


def resident_id(chance: random.Random) -> str:
    born = f"{chance.randint(1930, 2020)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    body = chance.choice(["110105", "310115", "440304", "510104"]) + born + signs(chance, DIGITS, 3)
    return body + RESIDENT_CHECKS[sum(w * int(d) for w, d in zip(RESIDENT_WEIGHTS, body, strict=True)) % 11]


def ip(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return "2a0" + ":".join(["3", *(f"{chance.randint(1, 0xFFFF):x}" for _ in range(3))]) + "::1"
    return ".".join(map(str, (chance.choice([8, 23, 58, 93, 114, 151]), *(chance.randint(0, 255) for _ in range(3)))))


def api_key(chance: random.Random) -> str:
    return chance.choice(
        [
            "AK" + "IA" + signs(chance, CAPITALS + DIGITS, 16), "gh" + "p_" + signs(chance, MIXED, 34) + "1a",
            "s" + "k-" + signs(chance, MIXED, 46) + "7b", "AI" + "za" + signs(chance, MIXED, 33) + "3c",
            "xo" + "xb-" + signs(chance, DIGITS, 12) + "-" + signs(chance, MIXED, 24),
        ]
    )  # fmt: skip


def named_key(chance: random.Random) -> str:
    return signs(chance, "0123456789abcdef", 30) + "9f"


def private_key(chance: random.Random) -> str:
    lines = "\n".join(signs(chance, MIXED + "+/", 64) for _ in range(chance.randint(3, 25)))
    name = chance.choice(["", "RSA ", "EC ", "OPENSSH "]) + "PRIVATE KEY"
    return f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----"


MAKERS: dict[Kind, list[tuple[Callable[[random.Random], str], list[str]]]] = {
    "email": [(email, ["Write to {} today.", "<{}>", "邮箱:{},谢谢", "请联系{}。", "mailto:{}?subject=x"])],
    "phone": [(phone, ["Call {} now.", "Phone: {}, ask for Ann", "电话:{}。", "手机{},微信同号", "tel={}"])],
    "card": [(card, ["card {} expires 04/29", "卡号:{},有效期", "{}"])],
    "iban": [(iban, ["pay to {} by Friday", "账号:{}。", "IBAN: {}"])],
    "ssn": [(ssn, ["My SSN is {}.", "({})", "社会安全号{}。"])],
    "resident_id": [(resident_id, ["身份证号{},男", "身份证:{}。", "resident number {} of 1990"])],
    "ip": [(ip, ["host {} answers", "服务器地址是{}。", "http://{}/index", "from [{}]"])],
    "api_key": [
        (api_key, ["export KEY={}", "the key {} leaked", "密钥是{}。", '"token": "{}"']),
        (named_key, ['api_key = "{}"', "password: {}", "client-secret={}", "密码:{}"]),
    ],
    "private_key": [(private_key, ["{}", "here it is:\n{}\nkeep it", "私钥如下:\n{}"])],
}


def planted(kind: Kind, count: int, seed: int = 0) -> Iterator[Planted]:
    """Sentences with one thing of a kind in each."""
    chance = random.Random(f"{kind} {seed}")
    for _ in range(count):
        maker, frames = chance.choice(MAKERS[kind])
        value = maker(chance)
        yield Planted(chance.choice(frames).replace("{}", value), kind, value)
