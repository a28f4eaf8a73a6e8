"""Whatever the file holds, loading it gives a configuration or the list of its mistakes; nothing else."""

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.config import Config, load, schema
from agen_authz.config.reading.tree import read_tree
from agen_authz.config.reading.unit import (
    parse_duration,
    parse_share,
    parse_size,
    write_duration,
    write_share,
    write_size,
)
from agen_authz.core.errors import ConfigError
from tests.config.test_loaded import CONTRACT
from tests.examples import examples

WHOLE = read_tree((CONTRACT / "complete.yaml").read_text("utf-8"), "whole").value
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.just([]), st.just({}),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["any", "crm/*", "*/**", "https://a/b", "http://[::1]:0", "unix:///", "1s", "0s", "1%", "***/"]),
    st.sampled_from(["\x00", "\ud800", "a\nb", "(", "https://[", "/~", "::/0", "a@b", "off", "::", "127.0.0.1:9191"]),
)  # fmt: skip


def places_in(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places_in(item, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


PLACES = list(places_in(WHOLE))
VALIDATOR = jsonschema.Draft202012Validator(schema())


@examples(0.5)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=4))
def test_any_value_anywhere_loads_or_is_refused(tmp_path_factory, changes):
    whole = WHOLE
    for path, new in changes:
        if path in set(places_in(whole)):
            whole = replaced(whole, path, new)
    file = tmp_path_factory.getbasetemp() / "odd.yaml"
    file.write_text(yaml.safe_dump(whole, allow_unicode=True), "utf-8", "surrogatepass")
    try:
        assert isinstance(load(file, secrets=False, environ={}).config, Config)
    except ConfigError as exc:
        assert exc.problems
        assert all(problem.message and problem.cure and "\n" not in str(problem) for problem in exc.problems)


@examples(0.5)
@given(st.sampled_from(PLACES), ODD)
def test_what_loads_is_valid_by_the_schema(tmp_path_factory, path, new):
    file = tmp_path_factory.getbasetemp() / "valid.yaml"
    file.write_text(yaml.safe_dump(replaced(WHOLE, path, new), allow_unicode=True), "utf-8", "surrogatepass")
    try:
        plain = load(file, secrets=False, environ={}).tree.value
    except ConfigError:
        return
    VALIDATOR.validate(plain)


def test_schema_is_one_and_its_defaults_are_written_as_in_the_file():
    jsonschema.Draft202012Validator.check_schema(schema())
    server = schema()["$defs"]["Server"]["properties"]
    assert (server["check_timeout"]["default"], schema()["properties"]["unruled_sample"]["default"]) == ("1s", "1%")
    limits = schema()["properties"]["limits"]["default"]
    assert (limits["request_bytes"], limits["store_timeout"]) == ("1MiB", "250ms")


@given(st.integers(0, 999_999_999), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_duration_is_written_as_it_reads(number, unit):
    assert parse_duration(write_duration(parse_duration(f"{number}{unit}"))) == parse_duration(f"{number}{unit}")


@given(st.integers(1, 999_999_999), st.sampled_from(["B", "KiB", "MiB", "GiB"]))
def test_size_is_written_as_it_reads(number, unit):
    assert parse_size(write_size(parse_size(f"{number}{unit}"))) == parse_size(f"{number}{unit}")


@pytest.mark.parametrize("share", ["0%", "0.5%", "1%", "12.125%", "100%"])
def test_share_is_written_as_it_reads(share):
    assert write_share(parse_share(share)) == share


def test_ten_thousand_rules_are_read_as_they_stand(tmp_path):
    rules = "".join(f"    - {{name: r{n}, tools: ['crm/t{n}_*'], allow: [a{n}]}}\n" for n in range(10_000))
    head = (CONTRACT / "minimal.yaml").read_text("utf-8").partition("  rules:\n")[0]
    file = tmp_path / "agen.yaml"
    file.write_text(head + "  rules:\n" + rules, "utf-8")
    assert len(load(file, secrets=False, environ={}).config.access.rules) == 10_000
