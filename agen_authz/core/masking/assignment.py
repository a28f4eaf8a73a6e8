"""Labels for secrets: by the prefix that a vendor gives them, or by the name that they are assigned to.

A name is followed by its value in any of these spellings: `NAME=value`, `name: value`, `"name": "value"`, also with
escaped quotes, `name := "value"`, `name => 'value'`, `<name>value</name>`, `name("value")`, `name,value`,
`| name | value |`, `name is value`, and as a block of YAML.
"""

from agen_authz.core.masking.entropy import is_filled
from agen_authz.core.masking.gap import before
from agen_authz.core.masking.row import At, Check, Label

# The rest of a name, and up to three words more: `datadog_api_key`, `Datadog API key string`.
_NAME = r"(?:[\w.]|-(?!>)){1,60}+(?: (?!is\b|was\b)[\w.-]{1,20}+){0,3}"
_QUOTE = r"(?:\\{0,3}[\"'`]){0,3}"
_OPERATOR = r"[:?+.|<>]{0,3}={1,3}>?|:|->|[>(]|(?<=\s)(?:is|was|set to)(?=[\s:])"
_GAP = r"(?:[ \t]{0,4}[|>]-?(?=\s))?(?:\s|\\[nrt]|[:>=]){0,24}"  # with the mark of a block of YAML
_LINK = rf"{_QUOTE}[\])]?[ \t]{{0,8}}(?:{_OPERATOR}|[,|]){_GAP}"
# Of a generic name: a comma only in a CSV without quotes, a bar only in a table; code is full of both.
_STRICT_LINK = rf"(?:{_QUOTE}\]?[ \t]{{0,8}}(?:{_OPERATOR}){_GAP}|,(?=[^\s\"'])|[ \t]{{1,20}}\|[ \t]{{1,8}})"
# What may follow the words of a generic name without making it another: `API_KEY_2`, `apiKey string`.
_TAIL = (
    r"(?:[_-]?(?i:[0-9]{1,2}|prod|production|dev|development|test|testing|stag(?:e|ing)|live|sandbox|value|old|new|"
    r"current|primary|secondary|default|str))?(?:\s?\(\w{1,12}\)|[ \t]string)?"
)
_BARE = r"[^\s\"'`,;<>&|(){}\[\]\\]"
# No letter or digit, or an escape that was not taken out: `\\n`, `\\u003d`.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
_END = r"(?![A-Za-z0-9_-])"


def starting(
    words: tuple[str, ...], pattern: str, *, score: float = 0.95, reach: int = 300, check: Check | None = is_filled
) -> Label:
    """Make a label for a secret that begins with one of these words."""
    return Label(words=words, pattern=pattern, score=score, at=At.FROM, reach=reach, check=check)


def standing(
    words: tuple[str, ...], pattern: str, *, score: float = 0.95, reach: int = 120, check: Check | None = is_filled
) -> Label:
    """Make a label for a secret that begins with one of these words, with no letter or digit next to it.

    For prefixes so short that they end other words, as `sk-` does `task-`.
    """
    whole = rf"{_START}(?:{pattern}){_END}"
    return Label(words=words, pattern=whole, score=score, at=At.FROM, reach=reach, check=check)


def inside(
    words: tuple[str, ...], pattern: str, *, score: float = 0.95, reach: int = 100, check: Check | None = is_filled
) -> tuple[Label]:
    """Make a label for a secret that has one of these words in the middle or at the end."""
    whole = rf"{_START}(?:{pattern}){_END}"
    return (Label(words=words, pattern=whole, score=score, at=At.AROUND, reach=reach, check=check, is_inside=True),)


def named(
    words: tuple[str, ...], value: str, *, score: float = 0.85, reach: int = 300, check: Check | None = is_filled
) -> Label:
    """Make a label for a value of fixed form, assigned to a name that has one of these words in it."""
    pattern = rf"{_NAME}{_LINK}{_QUOTE}({value})(?![A-Za-z0-9_+/-])"
    return Label(words=words, pattern=pattern, score=score, at=At.FROM, reach=reach, check=check)


def assigned(words: tuple[str, ...], name: str, check: Check, *, least: int = 10, score: float = 0.85) -> Label:
    """Make a label for any value that is assigned to a name.

    Args:
        words: the spellings of the name that are searched for, in lower case.
        name: a pattern of the name, without regard to case, which begins where the words do.
        check: gets the value.
        least: how many characters it has.
        score: how sure a match is.
    """
    value = rf"(?!{_BARE}{{1,300}}+[(\[])({_BARE}{{{least},300}}(?<![.:]))"
    pattern = rf"(?i:{name}){_TAIL}{_STRICT_LINK}{_QUOTE}{value}"
    return Label(words=words, pattern=pattern, score=score, at=At.FROM, reach=400, check=check)


def quoted(words: tuple[str, ...], name: str, check: Check, *, least: int = 4, score: float = 0.85) -> Label:
    """Make a label for a value between quotes, which may have spaces and punctuation in it."""
    value = rf"[^\"'`\\\r\n]{{{least},128}}"
    pattern = rf"(?i:{name}){_TAIL}{_STRICT_LINK}\\{{0,3}}[\"'`]({value})\\{{0,3}}[\"'`]"
    return Label(words=words, pattern=pattern, score=score, at=At.FROM, reach=300, check=check)


def next_to(
    words: tuple[str, ...], check: Check, *, least: int = 32, score: float = 0.7, unlike: str = ""
) -> tuple[Label, Label]:
    """Make labels for a long value next to a name in a sentence, without a sign between them, or in front of it.

    Args:
        words: in lower case.
        check: gets the value.
        least: how many characters it has, so that no word and no path is meant.
        score: how sure a match is.
        unlike: a pattern of what the text to the end of the name must not be, as look-behind.
    """
    value = rf"[A-Za-z0-9_+/=.-]{{{least},128}}(?<!\.)"
    after = Label(words, rf"{unlike}[ \t](?:is )?[\"'`]?({value})(?![\w/(:@-])", score, reach=140, check=check)
    return after, before(words, value, score, check=check, reach=88)
