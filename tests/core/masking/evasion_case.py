"""Ways to write a value so that a reader, or a program, still reads it."""

import json
import re
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable, Mapping

Way = Callable[[str], str]


def encode(text: str) -> str:
    """Encode a text in base64."""
    return b64encode(text.encode()).decode()


def escape(text: str) -> str:
    """Write every character as JSON escapes it: two escapes beyond the first plane."""
    units = text.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _each(write: Callable[[int], str]) -> Way:
    return lambda value: "".join(write(ord(each)) for each in value)


def _digits(zero: int) -> Way:
    return lambda value: "".join(chr(zero + int(each)) if each.isdigit() else each for each in value)


def _letters(value: str) -> str:
    starts = {"A": 0x1D400, "a": 0x1D41A, "0": 0x1D7CE}
    first = "".join(
        "A" if each.isupper() else "a" if each.islower() else "0" if each.isdigit() else "" for each in value
    )
    bold = iter(first)
    return "".join(_bolden(each, starts, next(bold)) if each.isalnum() else each for each in value)


def _bolden(char: str, starts: Mapping[str, int], kind: str) -> str:
    return chr(starts[kind] + ord(char) - ord(kind))


def _times(count: int, way: Way) -> Way:
    def write(value: str) -> str:
        for _ in range(count):
            value = way(value)
        return value

    return write


def _between(sign: str) -> Way:
    return sign.join


def _inside(sign: str) -> Way:
    return lambda value: value[:6] + sign + value[6:]


def _around(sign: str) -> Way:
    return lambda value: f"x{sign}{value}{sign}y"


def _separate(sign: str) -> Way:
    return lambda value: sign.join(re.split("[ -]", value))


def _nested(depth: int, *, indent: int | None = None) -> Way:
    def write(value: str) -> str:
        document: object = {"note": value}
        for _ in range(depth):
            document = {"log": json.dumps(document, indent=indent)}
        return json.dumps(document)

    return write


_percent = _each(lambda code: f"%{code:02x}")


def _code_signs(count: int) -> Way:
    return lambda value: _percent(value).replace("%", "%" + "25" * count)


ESCAPED: Mapping[str, Way] = {
    "as JSON escapes it": escape,
    "in capitals": lambda value: escape(value).upper().replace("\\U", "\\u"),
    "escaped twice": lambda value: escape(value).replace("\\", "\\\\"),
    "escaped and quoted": lambda value: json.dumps(escape(value)),
    "its first character escaped": lambda value: escape(value[0]) + value[1:],
    "a character within escaped": lambda value: value[:5] + escape(value[5]) + value[6:],
    "digits beyond the first plane, escaped": lambda value: escape(_digits(0x1D7CE)(value)),
    "in hexadecimal": _each(lambda code: f"\\x{code:02x}"),
    "percent-coded": _percent,
    "partly percent-coded": lambda value: value[:3] + _percent(value[3:6]) + value[6:],
    "percent-coded before what is longer": lambda value: _percent(value) + "%20%C3%BC",
    "percent-coded behind what is longer": lambda value: "%C3%BC%20" + _percent(value),
    "a value in the first reading only": lambda value: _percent(value[0]) + value[1:] + "%2531",
    "a decimal entity each": _each(lambda code: f"&#{code};"),
    "a hexadecimal entity each": _each(lambda code: f"&#x{code:x};"),
    "entities in capitals": _each(lambda code: f"&#X{code:X};"),
    "entities without an end": _each(lambda code: f"&#{code}"),
    "entities with zeros": _each(lambda code: f"&#{code:010d};"),
    "hexadecimal entities with zeros": _each(lambda code: f"&#x{code:010x};"),
    "entities of entities": _each(lambda code: f"&amp;#{code};"),
    "an unseen entity within": _inside("&shy;"),
    "named entities": lambda value: value.replace("@", "&commat;").replace(".", "&period;").replace("-", "&hyphen;"),
    **{f"percent-coded {count} times": _times(count, _percent) for count in (2, 3)},
    **{f"a percent sign coded {count} times": _code_signs(count) for count in (2, 3, 4, 6, 9)},
}
SCRIPTS: Mapping[str, Way] = {
    f"digits from U+{zero:04X}": _digits(zero)
    for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10, 0x1D7CE, 0x1D7E2, 0x1D7F6, 0x1E950, 0x1FBF0)
} | {
    "wide letters and digits": _each(lambda code: chr(code + 0xFEE0) if 0x20 < code < 0x7F else chr(code)),
    "bold letters and digits": _letters,
    "key caps": lambda value: "".join(f"{each}\ufe0f\u20e3" if each.isdigit() else each for each in value),
    "raised digits": lambda value: value.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
}  # fmt: skip
UNSEEN: Mapping[str, Way] = {
    f"U+{ord(sign):04X} {name}": way(sign)
    for sign in (
        "\u200b\u200c\u200d\u200e\u2060\u2061\u2063\ufeff\u00ad\u034f\u061c\u180e\ufe0f\u3164\u115f\uffa0\u2800\u0301"
        "\u20dd\x00\x07\x7f\U000e0001\U000e0020\U000e0101\U0001d159\U0001d173"
    )
    for name, way in (("between", _between), ("within", _inside))
}
GLUED: Mapping[str, Way] = {
    f"glued to {sign!r}": _around(sign)
    for sign in (
        *("\n", "\t", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x1f", "\x85", "\u2028", "\u2029", "\xa0"),
        *("\\n", "\\t", "\\r\\n", "\\\\n", "\\b", "\\f", "\\/", '\\"', "|", ",", ";", "'", "`", "**", "<b>", "=", "/"),
    )
}
ENCODED: Mapping[str, Way] = {
    "base64": encode,
    "base64 without padding": lambda value: encode(value).rstrip("="),
    "base64 for addresses": lambda value: urlsafe_b64encode(f"??>>{value}??>>\u00ff".encode()).decode(),
    "base64 in a sentence": lambda value: f"see {encode('the number is ' + value)}, ok",
    "base64 behind an equals sign": lambda value: f"?data={encode(value)}",
    "base64 in a path": lambda value: f"/x/{encode('hello my ' + value)}",
    "base64 in a data address": lambda value: f"data:text/plain;base64,{encode(value)}",
    "base64 of JSON": lambda value: encode(json.dumps({"note": value})),
    "base64 of JSON on lines": lambda value: encode(json.dumps({"note": value}, indent=2)),
    "base64 of a line": lambda value: encode(f"\n{value}"),
    "base64 of words with an umlaut": lambda value: encode(f"\u00dcml\u00e4ut {value}"),
    "base64 on lines": lambda value: encodebytes(f"{'a' * 50} {value} and more text behind it".encode()).decode(),
    "base64 of a long text": lambda value: encode(f"{'x' * 3000} {value}"),
    "percent-coded base64": lambda value: _percent(encode(value)),
    **{f"base64 {count} times": _times(count, encode) for count in (2, 3, 4, 6)},
}
NESTED: Mapping[str, Way] = {
    **{f"JSON in a text, {depth} deep": _nested(depth) for depth in range(7)},
    "JSON on lines in JSON": _nested(2, indent=1),
    "in a code fence": lambda value: f"Here:\n```json\n{json.dumps({'note': value}, indent=1)}\n```\nbye",
    "in the second code fence": lambda value: (
        f'```\n{{"a": 1}}\n```\nand\n```\n{json.dumps({"note": escape(value)})}\n```'
    ),
    "a document on each line": lambda value: "\n".join(json.dumps({"note": value, "at": at}) for at in range(3)),
    "behind a log line's beginning": lambda value: f"[INFO] {json.dumps({'note': value})}",
    "before a bracket": lambda value: f"{json.dumps({'note': value})} (see [2])",
    "the first of two members": lambda value: f'{{"note":"{escape(value)}","note":"x"}}',
    "the second of two members": lambda value: f'{{"note":"x","note":"{escape(value)}"}}',
    "next to a number that is none": lambda value: f'{{"a":NaN,"note":"{escape(value)}"}}',
    "a member's name": lambda value: json.dumps({value: 1}),
    "an escaped member's name": lambda value: f'{{"{escape(value)}":1}}',
    "JSON of JSON": lambda value: json.dumps(json.dumps({"note": value})),
    "JSON of JSON of JSON": lambda value: json.dumps(json.dumps(json.dumps({"note": value}))),
    "JSON that is cut off": lambda value: f'{{"a":1,"note":"so\\n{value}',
    "behind a byte order mark": lambda value: "\ufeff" + json.dumps({"note": value}),
}
_SIGNS = {
    *"\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043",
    *("\xa0", "\u2003", "\u2009", "\u202f", "\u205f", "\u3000", "  ", " - ", "\t"),
}
SEPARATED: Mapping[str, Way] = {f"separated by {sign!a}": _separate(sign) for sign in sorted(_SIGNS)}
