"""Other ways to switch ext_proc off or to weaken it: each row changes the sound configuration in one place."""

from pathlib import Path

import pytest

from agen_authz.envoy.check import check_file

SOUND = (Path(__file__).parent / "sound.yaml").read_text()
MATCHERS = "                  matchers:\n"
SKIP = "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter"


def skip(predicate: str) -> tuple[str, str]:
    """Add a matcher that skips ext_proc."""
    rows = (
        f"                  - predicate: {predicate}\n"
        f'                    on_match: {{action: {{name: skip, typed_config: {{"@type": {SKIP}}}}}}}\n'
    )
    return MATCHERS, MATCHERS + rows


def matched(kind: str, rest: str) -> str:
    source = f'{{name: i, typed_config: {{"@type": type.googleapis.com/{kind}}}}}'
    return f"{{single_predicate: {{input: {source}, {rest}}}}}"


LOCAL = "envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput"
METADATA = "type.googleapis.com/envoy.extensions.matching.input_matchers.metadata.v3.Metadata"
CUSTOM = f'{{name: c, typed_config: {{"@type": {METADATA}}}}}'

IS_LOCAL = matched(LOCAL, "value_match: {exact: 'true'}")

VARIANTS: dict[str, tuple[list[tuple[str, str]], set[str]]] = {
    "skipped for what Envoy answers itself": ([skip(matched(LOCAL, "value_match: {exact: 'true'}"))], set()),
    "skipped for what a backend answers": (
        [skip(matched(LOCAL, "value_match: {exact: 'false'}"))],
        {"proc-skip-other"},
    ),
    "skipped for either": ([skip(matched(LOCAL, "value_match: {prefix: ''}"))], {"proc-skip-other"}),
    "skipped for local replies, matched otherwise": (
        [skip(matched(LOCAL, f"custom_match: {CUSTOM}"))],
        {"proc-skip-other"},
    ),
    "skipped by path": (
        [
            skip(
                matched(
                    "envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: ':path'",
                    "value_match: {exact: /a}",
                )
            )
        ],
        {"proc-skip-other"},
    ),
    "skipped unless a local reply": (
        [skip(f"{{not_matcher: {IS_LOCAL}}}")],
        {"proc-skip-other"},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_a_weakened_inspection_is_found_however_it_is_written(changes: list[tuple[str, str]], expected: set[str]):
    text = SOUND
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    report = check_file(text)
    assert expected == {finding.id for finding in (*report.findings, *report.hints)}
