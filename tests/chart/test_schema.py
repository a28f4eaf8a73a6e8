"""The schema of the chart's values is what the configuration's models and values.yaml say."""

import json

import jsonschema
import pytest
import yaml

from tests.chart.helm import CHART, VALUES
from tools import chart_schema


def test_schema_is_rendered_from_the_models_and_the_values(golden):
    golden(chart_schema.PLACE, chart_schema.render())


def test_values_of_the_chart_fit_its_schema():
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    jsonschema.Draft202012Validator(json.loads(chart_schema.render())).validate(values)


def test_every_key_of_the_values_has_a_meaning():
    schema = json.loads(chart_schema.render())
    assert list(_unexplained(schema["properties"], ())) == []


def _unexplained(properties, path):
    for key, part in properties.items():
        inner = part.get("properties")
        if (*path, key) in {("config",), ("global",)} or "description" in part:
            continue
        if inner is None:
            yield ".".join((*path, key))
        else:
            yield from _unexplained(inner, (*path, key))


@pytest.mark.parametrize("file", sorted(VALUES.glob("*.yaml")), ids=lambda file: file.stem)
def test_values_of_these_tests_fit_the_schema(file):
    values = yaml.safe_load(file.read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(json.loads(chart_schema.render()))
    # Each file is a part: what a part leaves out is not looked at.
    wrong = [error.message for error in validator.iter_errors(values) if error.validator != "required"]
    assert wrong == []


def test_count_that_go_refuses_becomes_a_length():
    schema = json.loads(chart_schema.render())
    assert schema["$defs"]["Tls"]["properties"]["cert_file"]["maxLength"] == 2048
