"""Writes docs/masking-figures.md from what was measured."""

from collections.abc import Iterator

from agen_authz.core.masking.catalog import CATALOG
from bench.masking.corpus import ALONE, DOCUMENTS, EACH, FIELD, LABELLED, LABELLED_LOOKALIKE, LOOKALIKE
from bench.masking.score import Count, Score

_INTRO = f"""\
# How well masking finds values, and what it costs

Written by `make bench-masking`. The corpus is generated from a seed (`bench/masking/`), so anyone can look at it and
repeat the run. It was made by the authors of the detectors: figures on other data may be lower.

- Each kind of value is presented {EACH} times in a sentence next to its name, {EACH} times as a JSON member, and, if
  its form or check should do, {EACH} times in a sentence without any word for it. Check digits are right, computed
  by python-stdnum where it has them. Sentences are in English, German, French, Spanish, Italian and Portuguese, labels
  in these and in the language of the country.
- Look-alikes have one digit changed, so that the check fails; once without a label and once with one.
- {DOCUMENTS} documents hold nothing to mask: logs, code, commits, orders, builds, books, links, metrics, tables, texts.
- Recall: the share of values of which the right detector covers half or more. Precision: the share of a detector's hits
  that are on values of its kind; hits on look-alikes, ordinary documents and values of another kind are wrong.
  Detectors that find the same written form, or go by the same word (a passport's number of another country, `DNI`), are
  right for each other. Masked: the share of values that are covered whole, by any detector.
"""
_SIDES = """\

## Next to Presidio

All pattern recognizers of presidio-analyzer and its recognizer for telephone numbers, English pipeline without a
language model, threshold 0.35, on the same corpus in the same run; its entities count as our detectors that have them
as aliases. Only the {kinds} kinds that both know are counted here. Presidio's recognizers for names and places need a
model, and are not compared. It reads JSON as text.

| mean over {kinds} kinds | agen-authz | Presidio |
|---|---|---|
"""


def render(ours: Score, shared: tuple[Score, Score], costs: str) -> str:
    """Render the page.

    Args:
        ours: of every kind.
        shared: ours and Presidio's, of the kinds that both know.
        costs: a table.
    """
    lines = [_INTRO, "\n## All kinds\n\n| mean | agen-authz |\n|---|---|\n"]
    lines += [f"| {name} | {value} |\n" for name, value in _summarize(ours)]
    kinds = sum(count.total > 0 for count in shared[0].counts.values())
    lines.append(_SIDES.format(kinds=kinds))
    pairs = zip(_summarize(shared[0]), _summarize(shared[1]), strict=True)
    lines += [f"| {name} | {first} | {second} |\n" for (name, first), (_, second) in pairs]
    lines += ["\n## Each detector\n\n", *_list_detectors(ours, shared[1])]
    lines += ["\n## Cost\n\nCPU time, all presets; `x json` is the multiple of `json.loads` and `json.dumps` of the "]
    lines += ["same body in the same run. Hostile bodies are compared with twice their size.\n\n", costs]
    return "".join(lines)


def _summarize(score: Score) -> Iterator[tuple[str, str]]:
    yield "recall in a sentence with its name", _share(score.mean_recall(LABELLED))
    yield "recall in a JSON member", _share(score.mean_recall(FIELD))
    yield "recall without a word for it", _share(score.mean_recall(ALONE))
    yield "precision", _share(score.mean_precision())
    for how, words in ((LOOKALIKE, "without a label"), (LABELLED_LOOKALIKE, "with the label of the type")):
        asked, fooled, other = (
            sum(tally.get(how, 0) for tally in tallies)
            for tallies in zip(
                *((each.lookalikes, each.fooled, each.other) for each in score.counts.values()), strict=True
            )
        )
        yield f"look-alikes {words}, found as the same type", _percent(fooled / asked)
        yield f"look-alikes {words}, found as any type", _percent(other / asked)
    yield "ordinary documents with a hit", _percent(score.touched / score.documents)


def _list_detectors(ours: Score, theirs: Score) -> Iterator[str]:
    yield "| detector | sentence | member | alone | masked | precision | look-alikes | Presidio recall | precision |\n"
    yield "|---|---|---|---|---|---|---|---|---|\n"
    for name in CATALOG:
        count = ours.counts.get(name)
        if count is None or not count.total:
            continue
        other = theirs.counts.get(name, Count())
        asked = sum(count.lookalikes.values())
        fooled = f"{sum(count.fooled.values())} of {asked}" if asked else ""
        recalls = " | ".join(_share(count.recall(how)) for how in (LABELLED, FIELD, ALONE))
        yield (
            f"| `{name}` | {recalls} | {_share(count.masked / count.total)} | {_share(count.precision)} | {fooled} | "
            f"{_share(other.recall()) if other.total else ''} | {_share(other.precision) if other.total else ''} |\n"
        )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"
