"""Runs in Presidio's own environment (tools/install-presidio): texts in, what its recognizers find out, as JSON lines.

All of its pattern recognizers, also those that are off by default, and the one for telephone numbers. There is no
language model: it would find names and places in prose, costs far more, and is not what is compared here. Its context
words need lemmas, which a model gives; here a word's lemma is the word in small letters.
"""

import inspect
import json
import sys
from typing import Any

import spacy
from presidio_analyzer import (
    AnalyzerEngine,
    PatternRecognizer,
    RecognizerRegistry,
    predefined_recognizers,
)
from presidio_analyzer.nlp_engine import SpacyNlpEngine

# What its documentation uses to leave out what only a form told of.
THRESHOLD = 0.35


@spacy.Language.component("small_letters")  # type: ignore[untyped-decorator] # not in .venv
def _lemmatize(doc: spacy.tokens.Doc) -> spacy.tokens.Doc:
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class _Blank(SpacyNlpEngine):  # type: ignore[misc] # what it is from is not in .venv
    """A pipeline that splits words."""

    def __init__(self) -> None:
        super().__init__()
        pipeline = spacy.blank("en")
        pipeline.add_pipe("small_letters")
        self.nlp = {"en": pipeline}


def _build() -> AnalyzerEngine:
    kind: Any
    registry = RecognizerRegistry(recognizers=[], supported_languages=["en"])
    for _, kind in inspect.getmembers(predefined_recognizers, inspect.isclass):
        if issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer:
            registry.add_recognizer(kind(supported_language="en"))
    registry.add_recognizer(predefined_recognizers.PhoneRecognizer(supported_language="en"))
    return AnalyzerEngine(registry=registry, nlp_engine=_Blank(), supported_languages=["en"])


def main() -> None:
    """Print which entities there are, then what is found in each text."""
    analyzer = _build()
    print(json.dumps(analyzer.get_supported_entities("en")), flush=True)
    for line in sys.stdin:
        found = analyzer.analyze(json.loads(line), language="en", score_threshold=THRESHOLD)
        print(json.dumps([[each.start, each.end, each.entity_type] for each in found]))


if __name__ == "__main__":
    main()
