"""Words near a value, and labels: where they begin and end, and that ASCII text is read alike by both finders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agen_authz.core.masking.row import At, Detector, Label
from agen_authz.core.masking.view import encode
from agen_authz.core.masking.word import AFTER, BEFORE, Hits, Lexicon

TOLD = ("tel", "telefon", "home phone", "\u96fb\u8a71", "n\xfamero", "\xe9t\xe9")


def detector(**fields: object) -> Detector:
    return Detector("it", "what is looked for", frozenset(), **fields)  # type: ignore[arg-type]


def find(text: str, *rows: Detector) -> Hits:
    return Lexicon(rows).find(text, encode(text))


def list_told(text: str, *words: str) -> list[int]:
    """List where context words begin in a text."""
    return [start for start, names in find(text, detector(context=words)).list_told() if "it" in names]


def list_labels(text: str, **label: object) -> list[str]:
    """List the words of a label in a text, as they are written there."""
    row = detector(labels=(Label(pattern=".*", score=0.5, **label),))  # type: ignore[arg-type]
    places = {(start, end) for start, end, _ in find(text, row).labelled}
    return [text[start:end] for start, end in sorted(places)]


# ---- context ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("tel 1", [0]),
        ("TEL:1", [0]),
        ("a tel", [2]),
        ("hotel tels", []),
        ("Telefonnummer", [0]),
        ("Haustelefon", []),
        ("home phone, home-phone, HOME_PHONE, homephone", [0, 12, 24, 36]),
        ("homephones", [0]),
        ("\u6211\u7684\u96fb\u8a71\u662f", [2]),
        ("N\xdaMERO 5, un\xfamero", [0]),
        ("\xe9t\xe9, \xe9t\xe9s, l\xe9t\xe9", [0]),
        ("\xe9tel \u0416tel", [6]),
        ("", []),
    ],
    ids=[
        *("alone", "capitals, sign", "at the end", "in others", "a long one goes on", "begins within", "two words"),
        *("two words go on", "without spaces", "not ASCII", "short, not ASCII", "next to others", "empty"),
    ],
)
def test_word_begins_with_a_word_and_a_short_one_ends_with_it(text: str, starts: list[int]) -> None:
    assert sorted(set(list_told(text, *TOLD))) == starts


@pytest.mark.parametrize("words", [("tel",), ("\u96fb\u8a71",), ()], ids=["ASCII", "others", "none"])
def test_vocabulary_may_have_words_of_one_kind_only(words: tuple[str, ...]) -> None:
    assert len(list_told("tel \u96fb\u8a71", *words)) == len(words)


@pytest.mark.parametrize(
    ("distance", "is_near"), [(1, True), (AFTER - 1, True), (AFTER, False)], ids=["next", "last", "beyond"]
)
def test_word_behind_a_value_is_near_up_to_a_distance(distance: int, is_near: bool) -> None:
    words = Lexicon([detector(context=("phone",))])
    text = "12345" + " " * distance + "phone"
    hits = words.find(text, encode(text))
    assert hits.is_near(words.words_of["it"], 0, 5, (0, len(text))) is is_near


@pytest.mark.parametrize(
    ("distance", "is_near"), [(0, True), (BEFORE - 1, True), (BEFORE, False)], ids=["next", "last", "beyond"]
)
def test_word_before_a_value_is_near_up_to_a_distance(distance: int, is_near: bool) -> None:
    words = Lexicon([detector(context=("phone",))])
    text = "phone" + " " * distance + "12345"
    hits = words.find(text, encode(text))
    assert hits.is_near(words.words_of["it"], len(text) - 5, len(text), (0, len(text))) is is_near


@pytest.mark.parametrize(
    ("text", "value", "bounds"),
    [
        ("phone\x1e12345", (6, 11), (6, 11)),
        ("12345\x1ephone", (0, 5), (0, 5)),
        ("1phone5 order", (0, 7), (0, 13)),
        ("order 12345", (6, 11), (0, 11)),
    ],
    ids=["of the text before", "of the text behind", "within the value", "another word"],
)
def test_word_is_not_near(text: str, value: tuple[int, int], bounds: tuple[int, int]) -> None:
    words = Lexicon([detector(context=("phone",))])
    assert not words.find(text, encode(text)).is_near(words.words_of["it"], *value, bounds)


def test_words_that_speak_against_every_value_are_known_without_a_row():
    words = Lexicon([])
    text = "invoice 12345"
    assert words.find(text, encode(text)).is_near(words.against, 8, 13, (0, 13))


# ---- labels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pin 1", ["pin"]),
        ("PIN:1 pins spin", ["PIN"]),
        ("my secret code=1", ["secret code"]),
        ("secret_code secretcodes", ["secret_code"]),
        ("clave\u65b0", ["clave"]),
    ],
)
def test_label_ends_where_letters_and_digits_end(text: str, found: list[str]) -> None:
    assert list_labels(text, words=("pin", "secret code", "clave")) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ghp_abc", ["ghp_"]),
        ("xghp_abc", []),
        ("xx_key_12", ["x_key_"]),
        ("xx-----begin", ["-----"]),
        ("tokenvalue", ["token"]),
        ("mytoken", []),
    ],
    ids=[
        "begins a value",
        "short, within",
        "long, with signs, within",
        "signs only",
        "letters go on",
        "letters within",
    ],
)
def test_label_that_begins_a_value_ends_anywhere(text: str, found: list[str]) -> None:
    assert list_labels(text, words=("ghp_", "x_key_", "-----", "token"), at=At.FROM) == found


@pytest.mark.parametrize("text", ["----", "-----", "a-----", ""])
def test_label_of_signs_is_within_its_text(text: str) -> None:
    label = Label(("-----",), ".*", 0.5, At.FROM)
    assert all(0 <= start < end <= len(text) for start, end, _ in find(text, detector(labels=(label,))).labelled)


def test_label_inside_is_found_within_letters():
    assert list_labels("abcAIzaSydef", words=("aizasy",), at=At.AROUND, is_inside=True) == ["AIzaSy"]


# ---- both finders ----------------------------------------------------------------------------------------------

WORDS = ("tel", "telefon", "home phone", "iban", "cvv", "id no", "a.b", "n\xb0", "x1")
FAR = "\n\n\u6570"
MIXED = Lexicon([detector(context=WORDS)])
PLAIN = Lexicon([detector(context=("tel", "telefon", "phone"))])
MARKED = Lexicon([detector(context=("t\xe9l", "t\xe9l\xe9fon", "phon\xe9"))])


def list_starts(words: Lexicon, text: str) -> list[int]:
    return [start for start, _ in words.find(text, encode(text)).list_told()]


@settings(max_examples=40)
@given(
    text=st.lists(
        st.one_of(
            st.sampled_from(("tel", "Telefon", "home", "phone", "IBAN", "cvv", "id", "no", "a.b", "x1")),
            st.text(alphabet=" .:_-=9zZ\t\n", max_size=2),
        ),
        max_size=12,
    ).map("".join)
)
def test_ascii_text_has_the_same_words_whatever_script_is_behind_it(text: str) -> None:
    assert list_starts(MIXED, text + FAR) == list_starts(MIXED, text)


@settings(max_examples=40)
@given(
    text=st.lists(st.sampled_from(("tel", "fon", "phone", " ", "-", "1", "\n", "telefon")), max_size=12).map("".join)
)
def test_plain_and_written_words_have_the_same_bounds(text: str) -> None:
    """A letter with a mark is as much a letter as one without, so a word has the same bounds with it."""
    marked = text.replace("e", "\xe9")
    assert list_starts(MARKED, marked) == list_starts(PLAIN, text)
