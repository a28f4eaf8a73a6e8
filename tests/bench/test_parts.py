"""What `make bench` and `make profile` are made of still runs: each once, nothing is timed."""

import pytest
import yaml

from agen_authz.core.strict_json import parse_json
from bench import (
    arguments,
    backend,
    bodies,
    conditions,
    envoy,
    hostile,
    inspected,
    profile,
    responses,
    signature,
    tokens,
)
from bench.__main__ import PARTS, main
from bench.decision import Decision
from bench.subject import build_check_request

ARGUMENTS = {
    "a small call": "fits",
    "branches that double, 60 levels": "not affordable",
    "none of two lists, each wrong throughout": "does not fit",
}


@pytest.mark.parametrize(("rules", "policies"), [(1, 2), (30, 2), (2, 30)])
def test_decision_of_the_bench_is_an_allow(rules, policies):
    assert b"agen-subject" in Decision(rules, policies).decide()


def test_signature_of_the_bench_verifies(monkeypatch):
    monkeypatch.setattr(signature, "CALLS", 2)
    costs = signature.measure()
    assert min(costs.sign_us, costs.verify_us, costs.json_us) > 0


def test_every_shape_of_a_body_is_as_large_as_wanted_and_measured():
    sizes = [len(raw) / 4096 for _, raw in bodies.shapes(4096)]
    costs = bodies.measure(4096)
    assert (len(costs), min(sizes) > 0.6, max(sizes) < 1.3) == (len(sizes), True, True)
    assert bodies.render(costs).count("\n") == len(costs) + 1


def test_every_response_of_the_bench_is_inspected_and_measured(monkeypatch):
    monkeypatch.setattr(responses, "ROUNDS", 1)
    usual = [each for _, each in responses.shapes(900) if each.messages]
    sizes = [sum(map(len, each.messages)) for each in usual]
    assert all(
        responses.process(each, responses.write(each)) > 0.9 * size for each, size in zip(usual, sizes, strict=True)
    )
    costs = responses.measure(900)
    assert responses.render(costs).count("\n") == len(costs) + 1


def test_every_token_of_the_bench_is_forged_and_all_but_two_are_large(monkeypatch):
    monkeypatch.setattr(tokens, "CALLS", 1)
    monkeypatch.setattr(tokens, "ROUNDS", 1)
    sizes = [len(tokens.forge(claims)) for claims in tokens.shapes().values()]
    assert (sum(size > 15_000 for size in sizes), max(sizes) <= 16 * 1024) == (len(sizes) - 2, True)
    for claims in tokens.shapes().values():
        answer = Decision(raw=build_check_request(token=tokens.forge(claims))).decide()
        assert b"token_signature" in answer or b"token_issuer" in answer
    assert tokens.render(tokens.measure()).count("\n") == len(sizes)


def test_collector_runs_less_often_as_it_is_served():
    seen = bodies.measure_collector(9_000)
    assert (seen.usual_runs > 3, seen.served_runs) == (True, 0)
    assert "runs a call" in bodies.render_collector(seen)


def test_every_shape_of_a_condition_compiles_and_is_evaluated_or_refused(monkeypatch):
    monkeypatch.setattr(conditions, "ROUNDS", 1)
    costs = conditions.measure()
    outcomes = {cost.name: cost.outcome for cost in costs}
    assert (outcomes["filter over 1,000"], outcomes["filter over 9,900"]) == ("evaluated", "1 of 1 refused")
    assert conditions.render(costs).count("\n") == len(conditions.SHAPES)


def test_every_check_of_arguments_is_made_or_refused(monkeypatch):
    monkeypatch.setattr(arguments, "ROUNDS", 1)
    monkeypatch.setattr(arguments, "SHAPES", {name: arguments.SHAPES[name] for name in ARGUMENTS})
    costs = arguments.measure()
    assert {cost.name: cost.outcome for cost in costs} == ARGUMENTS
    assert arguments.render(costs).count("\n") == len(ARGUMENTS)


def test_part_that_is_none_is_misuse(capsys):
    assert main(["nosuch"]) == 2
    told = capsys.readouterr().err
    assert [name for name in PARTS if name not in told] == []


def test_every_step_of_the_profile_is_one_that_a_decision_takes(monkeypatch):
    monkeypatch.setattr(profile, "CALLS", 2)
    assert min(profile.time_steps(Decision()).values()) > 0


def test_answers_of_the_backend_are_messages_of_the_sizes_that_are_reported():
    answers = {name: (media, body) for name, media, body in backend.write_answers(10_000)}
    sizes = {name: len(body) for name, (_, body) in answers.items()}
    assert (9_000 < sizes[backend.LIST] < 11_000, 9_000 < sizes[backend.LARGE] <= 10_000) == (True, True)
    assert answers[backend.EVENTS][1].count(b"\r\n\r\n") == 200
    parsed = [parse_json(body, 64) for media, body in answers.values() if media == "application/json"]
    assert [each for each in parsed if not isinstance(each, dict)] == []


def test_configuration_without_a_filter_keeps_what_belongs_to_the_others():
    other, ours = "envoy.filters.http.ext_authz", envoy.PROC_FILTER
    said = {other: {"disabled": True}, ours: {"disabled": True}}
    text = yaml.safe_dump(
        {"http_filters": [{"name": other}, {"name": ours}], "routes": [{"typed_per_filter_config": said}]}
    )
    left = {"http_filters": [{"name": other}], "routes": [{"typed_per_filter_config": {other: {"disabled": True}}}]}
    assert yaml.safe_load(envoy.remove_filters(frozenset({ours}), text)) == left
    assert envoy.remove_filters(envoy.NO_FILTER, text) == text


def test_rows_of_inspected_calls_name_each_way_with_its_ratio():
    ways = {inspected.NOTHING: inspected.Way(2.0), inspected.OURS: inspected.Way(3.0, 0.5)}
    rows = inspected.render({backend.CALL: ways}).splitlines()
    assert [row.split()[-3:] for row in rows[2:4]] == [["2.000", "1.00", "0.00"], ["3.000", "1.50", "0.50"]]


def test_rows_next_to_hostile_results_compare_the_slowest_hundredth():
    quiet, beside = hostile.Seen([1.0] * 98 + [2.0, 9.0]), hostile.Seen([1.0] * 98 + [5.0, 9.0], 1)
    kind = hostile.Beside(quiet, beside)
    rows = hostile.render(hostile.Hostile(kind, kind, 7, 0, 0.9)).splitlines()
    assert rows[2].split()[-8:-3] == ["1.00", "2.00", "1.00", "5.00", "2.50"]
    assert rows[3].split()[-5:] == ["1", "of", "101", "(goal", "0)"]
