"""The schemas of custom resources, out of their definitions (tools/kube/crds), made strict about fields."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import ROOT

DEFINITIONS = ROOT / "build" / "kube-crds"
# Every object has them; some definitions leave them out.
_OF_OBJECTS = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def load_schemas() -> dict[tuple[str, str], Any]:
    """Load every schema, by the `apiVersion` and the `kind` of its objects."""
    # Written last, once all are there.
    if not (DEFINITIONS / "versions").exists():
        # Not every machine reaches a registry of Go modules; `make chart` and `make kube-test` insist on them.
        pytest.skip("the custom resource definitions are not here: run tools/kube/crds")
    return dict(item for file in sorted(DEFINITIONS.rglob("*.yaml")) for item in _read(file))


def _read(file: Path) -> list[tuple[tuple[str, str], Any]]:
    # The loader that is written in C: they are megabytes.
    found = yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader)
    specs = [each["spec"] for each in found if each and each["kind"] == "CustomResourceDefinition"]
    return [
        ((f"{spec['group']}/{version['name']}", spec["names"]["kind"]), _schema(version["schema"]["openAPIV3Schema"]))
        for spec in specs
        for version in spec["versions"]
    ]


def _schema(written: Any) -> Any:
    return _close(written | {"properties": _OF_OBJECTS | written["properties"]})


def _close(part: Any) -> Any:
    """Refuse fields that a schema does not name, as the API server does if it is asked to be strict."""
    if isinstance(part, list):
        return [_close(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _close(each) for key, each in part.items()}
    if "properties" in part and part.get("type") == "object":
        is_open = part.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in part
        return closed if is_open else closed | {"additionalProperties": False}
    return closed
