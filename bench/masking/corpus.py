"""The corpus: values in sentences and in rows of JSON, look-alikes, and documents without values; from one seed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from agen_authz.core.masking.catalog import CATALOG
from bench.masking.kind import Kind, read_kinds
from bench.masking.ordinary import draw_document
from bench.masking.values import draw, spoil

SEED, EACH, DOCUMENTS = 20_261_130, 8, 400
LABELLED, FIELD, ALONE, LOOKALIKE, LABELLED_LOOKALIKE, ORDINARY = (
    "labelled", "field", "alone", "look-alike", "labelled look-alike", "ordinary",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A text of the corpus.

    Attributes:
        how: how the value is presented.
        detector: what the value is, or looks like; "" for a document without values.
        text: a sentence, or a JSON document.
        value: where the value is in the text; (0, 0) if there is none.
    """

    how: str
    detector: str
    text: str
    value: tuple[int, int] = (0, 0)


# Presented with a label, by the language in which it is used.
_SENTENCES = {
    "en": (
        "The customer's {label} is {value}.",
        "{label}: {value}",
        "Please update the record: {label} {value}, as agreed.",
        "{value} is the {label} on file.", "{label} = {value}; checked last week",
    ),
    "de": (
        "Die {label} lautet {value}.", "{label}: {value}", "Bitte prüfen: {label} {value}, wie besprochen.",
        "{value} ist die {label} des Kunden.",
    ),
    "fr": (
        "Le {label} du client est {value}.",
        "{label} : {value}",
        "Merci de vérifier : {label} {value}, comme convenu.",
    ),
    "es": (
        "El {label} del cliente es {value}.",
        "{label}: {value}",
        "Por favor verifique: {label} {value}, según lo acordado.",
    ),
    "it": (
        "Il {label} del cliente è {value}.",
        "{label}: {value}",
        "Si prega di verificare: {label} {value}, come concordato.",
    ),
    "pt": (
        "O {label} do cliente é {value}.",
        "{label}: {value}",
        "Favor verificar: {label} {value}, conforme combinado.",
    ),
}  # fmt: skip
_LANGUAGES = {
    **dict.fromkeys(("DE", "AT", "CH"), "de"), "FR": "fr", "IT": "it", **dict.fromkeys(("BR", "PT"), "pt"),
    **dict.fromkeys(("ES", "MX", "AR", "CL", "CO", "PE", "UY", "EC", "VE"), "es"),
}  # fmt: skip
_BARE = (
    "{value}", "I will send {value} tomorrow, thanks.", "Done. See {value} and the attached file.",
    "the second one was {value}, the first is unchanged", "- {value}\n- and so on",
)  # fmt: skip


def build_corpus(each: int = EACH, documents: int = DOCUMENTS) -> list[Sample]:
    """Build the corpus.

    Args:
        each: how many values of a kind are presented in each way.
        documents: how many have no value.
    """
    samples = [sample for kind in read_kinds() for sample in _present(kind, each)]
    random = Random(SEED)
    return samples + [Sample(ORDINARY, "", draw_document(random)) for _ in range(documents)]


def _present(kind: Kind, each: int) -> Iterator[Sample]:
    # Each kind has its own seed: a kind that is added changes no other.
    random = Random(f"{SEED} {kind.detector}")
    for _ in range(each):
        value = draw(kind, random)
        if kind.labels:
            yield _label(kind, value, LABELLED, random)
        yield _put_in_row(kind, draw(kind, random), random)
        if kind.is_sure:
            yield _write(kind, random.choice(_BARE), draw(kind, random), ALONE)
        spoilt = spoil(kind, value, random)
        if spoilt is not None:
            yield _write(kind, random.choice(_BARE), spoilt, LOOKALIKE)
            if kind.labels:
                yield _label(kind, spoilt, LABELLED_LOOKALIKE, random)


def _label(kind: Kind, value: str, how: str, random: Random) -> Sample:
    regions = CATALOG[kind.detector].regions
    language = _LANGUAGES.get(regions[0], "en") if regions else "en"
    sentence = random.choice(_SENTENCES[language]).replace("{label}", random.choice(kind.labels))
    return _write(kind, sentence, value, how)


def _write(kind: Kind, sentence: str, value: str, how: str) -> Sample:
    before, _, after = sentence.partition("{value}")
    return _mark(how, kind.detector, before + value + after, (len(before), len(before) + len(value)))


def _put_in_row(kind: Kind, value: str, random: Random) -> Sample:
    name = random.choice(kind.fields)
    row = {"id": random.randrange(10**6), name: value, "status": "active", "updated": "yes"}
    tree = {"result": {"rows": [row]}} if random.random() < 0.5 else {"customer": row}
    text = json.dumps(tree, ensure_ascii=False)
    written = json.dumps(value, ensure_ascii=False)[1:-1]
    start = text.index(written)
    return _mark(FIELD, kind.detector, text, (start, start + len(written)))


def _mark(how: str, detector: str, text: str, value: tuple[int, int]) -> Sample:
    """Make a sample; what is between « and » in a value is all of it that must be found."""
    first = text.find("«")
    if first < 0:
        return Sample(how, detector, text, value)
    return Sample(how, detector, text.replace("«", "").replace("»", ""), (first, text.index("»") - 1))
