"""A row of the catalogue: one kind of value, how it is recognised, and how sure each way of recognising it is.

A value is recognised in four ways, and a detector has any of them:

    direct   a distinctive form, found wherever it is (an e-mail address); few, for all are searched in one scan
    forms    a written form of letters, digits and single separators between them, next to anything (a card number)
    labels   a word next to it (`CVV: 123`), or with which it begins (`ghp_...`)
    fields   the name of the JSON member that it is in (`{"ssn": ...}`)

Each match has a score between 0 and 1. Words near the value (`context`) or its field raise it by `LIFT`, words that say
that it is something else lower it by `DROP`; a value is reported from `THRESHOLD` on. So a form that is typical of
nothing else has 0.5 or more, one that needs a word next to it less.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

THRESHOLD = 0.5
SURE = 0.85
"""Of checks that one value in 97 or fewer passes by chance: no word or name takes such a score away."""
LIFT = 0.35
DROP = 0.3


class Preset(StrEnum):
    """Groups of detectors that a configuration names."""

    PII = "pii"
    PHI = "phi"
    GDPR = "gdpr"
    PCI = "pci"
    SECRETS = "secrets"


class Style(StrEnum):
    """How a value is masked; the stricter further down."""

    PARTIAL = "partial"
    LAST4 = "last4"
    GENERALIZE = "generalize"
    TOKENIZE = "tokenize"
    HASH = "hash"
    REDACT = "redact"
    DROP = "drop"


Check: TypeAlias = Callable[[str], bool]
"""True if a value that has the form is one: a checksum, a date in it, a list of prefixes. Total, and pure."""


class Form(Struct, frozen=True):
    """One way in which a value is written.

    Args:
        pattern: of the whole value, its separators included; ASCII, without look-around, for RE2 and `re` alike.
        sizes: how many ASCII letters and digits it has, fewest and most; separators are not counted.
        score: how sure a match is by itself; with a `check`, once that has passed.
        check: gets the value as it is written, separators included.
    """

    pattern: str
    sizes: tuple[int, int]
    score: float
    check: Check | None = None


class At(StrEnum):
    """Where a label's pattern is matched."""

    AFTER = "after"
    FROM = "from"
    AROUND = "around"


class Label(Struct, frozen=True):
    """A value that is recognised by a word.

    Args:
        words: in lower case; found without regard to case. A word ends where letters and digits end, unless `at` is
            FROM.
        pattern: AFTER: matched where the word ends; FROM: where it begins; AROUND: searched in what is around it, and
            its match must include the word or touch what is next to it. Group 1 is the value, if there is a group; it
            is in every match, and not empty.
        reach: how many characters the pattern may look at, to each side.
        check: gets the value.
        is_inside: True if the words may be anywhere within letters.
    """

    words: tuple[str, ...]
    pattern: str
    score: float
    at: At = At.AFTER
    reach: int = 80
    check: Check | None = None
    is_inside: bool = False


class Detector(Struct, frozen=True):
    """One kind of value.

    Args:
        id: lower snake case.
        title: what it finds, in a few words, for the documentation.
        presets: the groups that it is in; none for what must be added by name.
        style: how it is masked unless a rule says otherwise.
        direct: forms that are searched everywhere; `sizes` counts nothing there.
        context: words near a value that speak for it, in lower case, in English and the languages of its countries;
            a space in one stands for a space, `-`, `_` or nothing.
        unlike: words near a value that speak against it, besides those that speak against every value.
        fields: names of members whose value it is, in lower case, words separated by spaces (`date of birth`): a
            member's name (`dateOfBirth`, `customer_date_of_birth`) matches if these words are in it one after the
            other. With `=` in front, the whole name must be these words.
        field_pattern: what a value of such a member must hold to be it (searched, not matched whole): empty for any
            text or number. A member that matches is masked whole, whatever its form.
        regions: of the two-letter regions (ISO 3166-1) that it belongs to.
        aliases: other names: Agen's camelCase, Presidio's UPPER_SNAKE, names of ours from before.
    """

    id: str
    title: str
    presets: frozenset[Preset]
    style: Style = Style.REDACT
    direct: tuple[Form, ...] = ()
    forms: tuple[Form, ...] = ()
    labels: tuple[Label, ...] = ()
    context: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    field_pattern: str = ""
    regions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
