"""`make bench-masking`: precision, recall and cost of masking; prints them and writes docs/masking-figures.md."""

import sys
from pathlib import Path

from bench.masking import figures, ours, presidio, speed
from bench.masking.corpus import build_corpus
from bench.masking.score import score

PAGE = Path(__file__).resolve().parents[2] / "docs" / "masking-figures.md"


def main() -> int:
    """Measure, print and write."""
    samples = build_corpus()
    hits = ours.find(samples)
    known, theirs = presidio.find(samples)
    page = figures.render(
        ours=score(samples, hits),
        shared=(score(samples, hits, known), score(samples, theirs, known)),
        costs=speed.render(speed.measure()),
    )
    print(page)
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
