"""What our detectors find in the corpus: all detectors that are in a preset."""

import json
from collections.abc import Iterator, Sequence

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.document import Document
from agen_authz.core.masking.layout import Layouts
from agen_authz.core.masking.scanner import Scanner, get_scanner
from agen_authz.core.masking.search import search
from agen_authz.core.masking.work import Allowance
from bench.masking.corpus import Sample
from bench.masking.score import Hit


def find(samples: Sequence[Sample]) -> list[list[Hit]]:
    """Find what is in each sample: in a JSON document as in a response, else as in a text."""
    every = Detectors.every()
    scanner = get_scanner(every)
    layouts = Layouts(scanner)
    return [
        list(_find_in_document(sample.text, scanner, layouts))
        if sample.text.startswith("{")
        else [(each.start, each.end, each.detector) for each in detect(sample.text, every)]
        for sample in samples
    ]


def _find_in_document(text: str, scanner: Scanner, layouts: Layouts) -> Iterator[Hit]:
    document = Document(json.loads(text), layouts, layouts.root, is_message=False)
    for each in search(scanner, document.texts, document.trails, Allowance(len(text))):
        value = document.texts[each.leaf]
        written = json.dumps(value, ensure_ascii=False)[1:-1]
        start = text.find(written)
        if written == value:
            yield start + each.start, start + each.end, each.detector
        else:
            yield start, start + len(written), each.detector
