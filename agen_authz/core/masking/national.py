"""Checks of national numbers: python-stdnum's, whatever separates the digits, and those that it does not have."""

from agen_authz.core.masking.check import digits_of, passes_luhn, stdnum
from agen_authz.core.masking.row import Check

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Taiwan: what each letter is worth, modulo 10, with its weights; the letters are numbered 10 to 35 in an order of
# their own, in which I, O, W and Z came last.
_TAIWAN = {letter: number for number, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)}

# China: provinces, and what is counted as one.
_CHINA = frozenset(
    str(each)
    for each in (
        *range(11, 16),
        21,
        22,
        23,
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
        71,
        81,
        82,
        83,
    )
)

# Singapore: the letters of the eleven remainders, by the first letter.
_SINGAPORE = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}

# New Zealand: letters of the NHI number are worth their place among these.
_HEALTH = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def words(text: str) -> tuple[str, ...]:
    """Split a list of words at its commas."""
    return tuple(each.strip() for each in text.split(","))


def bare(name: str) -> Check:
    """Make a check by a module of python-stdnum that gets the letters and digits only, letters as capitals."""
    passes = stdnum(name)

    def check(value: str) -> bool:
        return passes(alnum_of(value))

    return check


def alnum_of(value: str) -> str:
    """Return the ASCII letters and digits of a value, letters as capitals."""
    return "".join(each for each in value.upper() if each in _LETTERS or "0" <= each <= "9")


def luhn(value: str) -> bool:
    """True if the digits pass the Luhn check; letters do not count."""
    return passes_luhn(digits_of(value))


def is_day(month: str, day: str) -> bool:
    """True if a year can have this day; 29 February counts, for the century is often unknown."""
    return 1 <= int(month) <= 12 and 1 <= int(day) <= _DAYS[int(month) - 1]


def weigh(digits: str, weights: tuple[int, ...]) -> int:
    """Return the sum of the digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


# ---- America ---------------------------------------------------------------------------------------------


def is_quebec_health(value: str) -> bool:
    """True if the birth date in it is one: its month is 50 higher for women (RAMQ)."""
    digits = digits_of(value)
    return is_day(str(int(digits[2:4]) % 50), digits[4:6]) and int(digits[2:4]) < 63


def is_saskatchewan_health(value: str) -> bool:
    """True if nine digits, weighted 9 to 1, are divisible by 11."""
    return weigh(digits_of(value), (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def is_brazil_rg(value: str) -> bool:
    """True if the check digit is right, as Sao Paulo computes it; X is 10."""
    number = alnum_of(value)
    return "0123456789X"[-weigh(number[:8], (2, 3, 4, 5, 6, 7, 8, 9)) % 11] == number[8:]


def is_brazil_pis(value: str) -> bool:
    """True if the check digit of a PIS, PASEP or NIT number is right."""
    digits = digits_of(value)
    return -weigh(digits, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10 == int(digits[10])


def is_uruguay_id(value: str) -> bool:
    """True if the check digit of a cedula is right."""
    digits = digits_of(value).zfill(8)
    return weigh(digits, (2, 9, 8, 7, 6, 3, 4, 1)) % 10 == 0


# ---- Asia ------------------------------------------------------------------------------------------------


def is_hong_kong_id(value: str) -> bool:
    """True if the check character is right: modulo 11, letters from 10, a blank before a single letter is 36."""
    number = alnum_of(value)
    body, last = number[:-1], 10 if number[-1] == "A" else int(number[-1])
    letters = body[:-6]
    worth = [36] * (2 - len(letters)) + [_LETTERS.index(letter) + 10 for letter in letters] + list(map(int, body[-6:]))
    return (sum(each * weight for each, weight in zip(worth, range(9, 1, -1), strict=True)) + last) % 11 == 0


def is_taiwan_id(value: str) -> bool:
    """True if the check digit is right; a second letter, of residence certificates, counts by its last digit."""
    first, rest = _TAIWAN[value[0]], value[1:]
    if rest[0] in _TAIWAN:
        rest = str(_TAIWAN[rest[0]] % 10) + rest[1:]
    return (first // 10 + first % 10 * 9 + weigh(rest, (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def is_korean_resident(value: str) -> bool:
    """True if the birth date is one and the check digit is right; after births since October 2020 it is random."""
    digits = digits_of(value)
    if not is_day(digits[2:4], digits[4:6]):
        return False
    if digits[6] in "34" and "2010" <= digits[:4] < "3000":
        return True
    return (11 - weigh(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(digits[12])


def is_korean_foreigner(value: str) -> bool:
    """True if the birth date is one and the check digit of an alien registration is right."""
    digits = digits_of(value)
    remainder = weigh(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11
    return is_day(digits[2:4], digits[4:6]) and (13 - remainder) % 10 == int(digits[12])


def is_korean_corporation(value: str) -> bool:
    """True if the check digit of a corporate registration is right: weights 1 and 2, modulo 10, no digit sums."""
    digits = digits_of(value)
    return (weigh(digits, (1, 2) * 6) + int(digits[12])) % 10 == 0


def is_china_id(value: str) -> bool:
    """True if province, birth date and check character are right (GB 11643, ISO 7064 MOD 11-2).

    python-stdnum also asks for the county, but counties come and go, and an old code is kept for life.
    """
    number = alnum_of(value)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return (
        number[:2] in _CHINA
        and is_day(number[10:12], number[12:14])
        and "10X98765432"[weigh(number[:17], weights) % 11] == number[17]
    )


def is_china_old_id(value: str) -> bool:
    """True if the birth date of a 15-digit number is one."""
    return value[:2] in _CHINA and is_day(value[8:10], value[10:12])


def is_sri_lanka_id(value: str) -> bool:
    """True if the day of the year is one; for women it is 500 higher."""
    digits = digits_of(value)
    day = int(digits[4:7] if len(digits) == 12 else digits[2:5])
    return 1 <= day % 500 <= 366 and day < 900


def is_singapore_id(value: str) -> bool:
    """True if the last letter of an NRIC or FIN is right."""
    number = value.upper()
    offset = {"T": 4, "G": 4, "M": 3}.get(number[0], 0)
    return _SINGAPORE[number[0]][(weigh(number[1:8], (2, 7, 6, 5, 4, 3, 2)) + offset) % 11] == number[8]


def is_philippine_tin(value: str) -> bool:
    """True if the ninth digit is the weighted sum of the first eight, modulo 11."""
    digits = digits_of(value)
    return weigh(digits[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(digits[8])


# ---- Pacific and Africa ----------------------------------------------------------------------------------


def is_australian_medicare(value: str) -> bool:
    """True if the ninth digit of a Medicare card is right."""
    digits = digits_of(value)
    return weigh(digits[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(digits[8])


def is_new_zealand_health(value: str) -> bool:
    """True if the check character of an NHI number is right: a digit modulo 11, since 2019 a letter modulo 23."""
    number = value.upper()
    worth = [_HEALTH.index(each) + 1 if each in _HEALTH else int(each) for each in number[:6]]
    total = sum(each * weight for each, weight in zip(worth, range(7, 1, -1), strict=True))
    if number[6] in _HEALTH:
        return _HEALTH[22 - total % 23] == number[6]
    return total % 11 != 0 and (11 - total % 11) % 10 == int(number[6])


def is_south_african_id(value: str) -> bool:
    """True if the birth date is one and the Luhn digit is right."""
    digits = digits_of(value)
    return is_day(digits[2:4], digits[4:6]) and passes_luhn(digits)


def is_egyptian_id(value: str) -> bool:
    """True if the birth date behind the century's digit is one, and a governorate has the number."""
    return is_day(value[3:5], value[5:7]) and ("01" <= value[7:9] <= "35" or value[7:9] == "88")
