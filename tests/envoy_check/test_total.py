"""No text makes the check raise, and nothing that cannot be read passes as free of findings."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agen_authz.envoy.check import check_file
from agen_authz.envoy.check.source import MAX_DEPTH, read_source

HERE = Path(__file__).parent
SOUND: Any = yaml.safe_load((HERE / "sound.yaml").read_text())
KEYS = st.sampled_from([
    "static_resources", "listeners", "filter_chains", "filters", "typed_config", "@type", "http_filters", "kind",
    "configs", "resources", "virtual_hosts", "routes", "route", "spec", "patch", "configPatches", "data", "mesh",
    "extensionProviders", "items", "name", "ext_auth", "value",
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["EnvoyFilter", "List"])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(), inner, max_size=4)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in inner for place in places(member, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(st.text())
def test_any_text_gives_a_report(text: str):
    assert check_file(text).findings


@given(TREES)
def test_any_tree_gives_a_report(tree: Any):
    assert check_file(json.dumps(tree)).findings


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(places(SOUND)), TREES)
def test_a_sound_configuration_with_any_part_replaced_gives_a_report(path: tuple[Any, ...], new: Any):
    check_file(json.dumps(replaced(SOUND, path, new)))


@pytest.mark.parametrize(
    "text",
    ["", "# nothing", "null", "---\n---\n", "just words", "[]", "{}", "kind: Deployment", "configs: []", "a: &a [*a]"],
    ids=repr,
)
def test_what_says_nothing_is_not_free_of_findings(text: str):
    assert check_file(text).findings


SOUND_TEXT = (HERE / "sound.yaml").read_text()
UNREADABLE = {
    "a document cut off": SOUND_TEXT + "---\nlisteners: [{name: 'a",
    "a tag": SOUND_TEXT.replace("stat_prefix: mcp", "stat_prefix: !secret mcp"),
    "a merge": SOUND_TEXT.replace("stat_prefix: mcp", "<<: {stat_prefix: mcp}"),
    "two spellings of one key": SOUND_TEXT.replace("stat_prefix: mcp", "statPrefix: mcp\n          stat_prefix: mcp"),
    "an unknown alias": SOUND_TEXT.replace("stat_prefix: mcp", "stat_prefix: *other"),
    "a control character": SOUND_TEXT + "# \x00",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_with_certainty_is_open(text: str):
    assert [finding.id for finding in check_file(text).findings] == ["unread"]


def test_depth_is_bounded():
    source = read_source("[" * (MAX_DEPTH + 1))
    assert [unread.why for unread in source.unread] == ["nested too deeply from here on"]


def test_few_lines_of_aliases_do_not_stand_for_millions():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    assert [unread.why for unread in read_source("\n".join(lines)).unread] == ["more values than can be checked"]


def test_anchors_and_both_spellings_are_read():
    text = SOUND_TEXT.replace("max_request_bytes: 1048576", "maxRequestBytes: &size 1048576").replace(
        "max_stream_duration: 3600s", "maxStreamDuration: &hour 3600s"
    )
    assert check_file(text).findings == []


@pytest.mark.parametrize("word", ["true", "yes", "on", "True", '"true"', "1"])
def test_every_way_to_write_true_switches_on(word: str):
    text = SOUND_TEXT.replace(
        "pack_as_bytes: true", f"pack_as_bytes: true\n                allow_partial_message: {word}"
    )
    assert [finding.id for finding in check_file(text).findings] == ["partial-body"]


def test_many_routes_are_all_checked():
    route = "              - match: {path: /crm/mcp}\n                route:\n                  cluster: crm\n"
    many = "".join(route.replace("path: /crm/mcp", f"prefix: /{number}/") for number in range(500))
    assert [finding.id for finding in check_file(SOUND_TEXT.replace(route, many)).findings] == ["broad-match"] * 500
