"""Numbers that prove themselves: whether digits can be a card, an account, a social security or a resident number.

Luhn (ISO/IEC 7812), mod 97 (ISO 7064, of ISO 13616), MOD 11-2 (ISO 7064, of GB 11643), and what the issuers say of
lengths and ranges. All take digits without spaces or dashes.
"""

import datetime

IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        ("15", "NO"), ("16", "BE"), ("18", "DK FI FO GL NL SD"), ("19", "MK SI"), ("20", "AT BA EE KZ LT LU XK"),
        ("21", "CH HR LI LV"), ("22", "BG BH CR DE GB GE IE ME RS VA"), ("23", "AE GI IL IQ OM SO TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"), ("25", "LY PT ST"), ("26", "IS TR"),
        ("27", "BI DJ FR GR IT MC MR SM"), ("28", "AL AZ BY CY DO GT HU LB NI PL SV"), ("29", "BR EG PS QA UA"),
        ("30", "JO KW MU YE"), ("31", "MT SC"), ("32", "LC"), ("33", "RU"),
    )
    for country in countries.split()
}  # fmt: skip
"""The SWIFT registry's countries, with the characters an account number has there."""

CARDS = (
    (("4",), (13, 16, 19)),  # Visa
    (tuple(map(str, (*range(51, 56), *range(2221, 2721)))), (16,)),  # Mastercard
    (("34", "37"), (15,)),  # American Express
    (("6011", "65", *map(str, range(644, 650))), (16, 19)),  # Discover
    (tuple(map(str, range(3528, 3590))), (16,)),  # JCB
    (("36", "38", "39", *map(str, range(300, 306))), (14,)),  # Diners Club
    (("62",), (16, 17, 18, 19)),  # UnionPay
)
"""First digits and lengths of the issuers. Maestro is left out: nearly any number begins like one of its cards."""

PROVINCES = {
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
    81,
    82,
    83,
}
RESIDENT_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
RESIDENT_CHECKS = "10X98765432"


def luhn(digits: str) -> bool:
    """Whether every second digit from the right doubled, digits of the products added, makes a multiple of ten.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def card(digits: str) -> bool:
    """Whether digits are a card number of an issuer with its length and check digit.

    >>> card("378282246310005"), card("1234567812345670")
    (True, False)
    """
    known = any(len(digits) in lengths and digits.startswith(starts) for starts, lengths in CARDS)
    return known and luhn(digits) and len(set(digits)) > 1


def iban(account: str) -> bool:
    """Whether an account number has its country's length and the remainder 1 of 97.

    >>> iban("GB82WEST12345698765432"), iban("GB82WEST12345698765433")
    (True, False)
    """
    if len(account) != IBAN_LENGTHS.get(account[:2]):
        return False
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def social_security(digits: str) -> bool:
    """Whether nine digits are in the ranges from which the United States give out numbers.

    >>> social_security("514148905"), social_security("666148905"), social_security("514008905")
    (True, False, False)
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def resident(number: str) -> bool:
    """Whether 18 signs are a Chinese resident number: province, a day of birth, check sign.

    >>> resident("11010519491231002X"), resident("110105194912310021"), resident("110105194913310026")
    (True, False, False)
    """
    try:
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(RESIDENT_WEIGHTS, number, strict=False))
    return int(number[:2]) in PROVINCES and born.year >= 1850 and RESIDENT_CHECKS[total % 11] == number[17].upper()
