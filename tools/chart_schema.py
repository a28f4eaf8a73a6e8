"""Renders helm/agen-authz/values.schema.json: the configuration's models, and the chart's own keys from its values.

`make golden` writes it. The type and the meaning of a key are those of its value in values.yaml and of the remark above
it. `_SHAPES` has what a default cannot say.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from agen_authz.config import schema

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "helm" / "agen-authz"
PLACE = "helm/agen-authz/values.schema.json"

_TEXT = {"type": "string", "minLength": 1}
_NAME = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"}
_FREE_LIST = {"type": "array", "items": {"type": "object"}}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_AMOUNT = {"type": "integer", "minimum": 1}
_TIME = {"type": "string", "pattern": "^[1-9][0-9]*(s|m|h)$"}


def _closed(required: tuple[str, ...], **keys: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": keys}


_CALL = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"tool": _TEXT, "arguments": {"type": "object"}},
}
_SHAPES: Mapping[str, Mapping[str, object]] = {
    "mode": {"enum": ["deployment", "sidecar", "envoyGateway", "istio"]},
    "secrets": {"type": "array", "items": _closed(("name", "existingSecret"), name=_NAME, existingSecret=_TEXT)},
    "imagePullSecrets": {"type": "array", "items": _closed(("name",), name=_TEXT)},
    "replicas": {"type": "integer", "minimum": 1},
    "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "sidecar.envoy.image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "sidecar.envoy.image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "console.port": _PORT,
    "sidecar.envoy.port": _PORT,
    "sidecar.envoy.extraVolumeMounts": _FREE_LIST,
    "sidecar.envoy.resources": {"type": "object"},
    "probes.type": {"enum": ["auto", "grpc", "http"]},
    "probes.startupSeconds": _AMOUNT,
    "drainSeconds": {"type": "integer", "minimum": 0},
    "service.type": {"enum": ["ClusterIP", "LoadBalancer", "NodePort"]},
    "listen": {"enum": ["0.0.0.0", "[::]"]},  # noqa: S104 - an address of pods
    "podSecurityContext": {"type": "object"},
    "securityContext": {"type": "object"},
    "resources": {"type": "object"},
    "podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "autoscaling.minReplicas": _AMOUNT,
    "autoscaling.maxReplicas": _AMOUNT,
    "autoscaling.cpuPercent": _AMOUNT,
    "metrics.dashboard.labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "metrics.serviceMonitor.interval": _TIME,
    "metrics.podMonitor.interval": _TIME,
    "networkPolicy.providerPorts": {"type": "array", "items": _PORT},
    "envoyGateway.gateway.listener.protocol": {"enum": ["HTTP", "HTTPS"]},
    "envoyGateway.gateway.listener.port": _PORT,
    "envoyGateway.upstreams": {
        "type": "object",
        "additionalProperties": _closed(("name", "port"), name=_TEXT, port=_PORT, namespace={"type": "string"}),
    },
    "istio.workloads": {
        "type": "array",
        "items": _closed(
            ("name", "labels"),
            name=_NAME,
            labels={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
            gateway={"type": "boolean"},
            namespace={"type": "string"},
        ),
    },
    "tests.allowed": _CALL,
    "tests.denied": _CALL,
    "tests.masked": _CALL | {"properties": {**_CALL["properties"], "absent": _TEXT, "present": _TEXT}},  # type: ignore[dict-item]  # a table of one form
}


def render() -> str:
    """Render the schema."""
    config = schema()
    definitions = config.pop("$defs")
    # The template says what is missing, and the chart's own default is an empty configuration.
    written = {key: config[key] for key in ("additionalProperties", "description", "properties", "type")}
    text = (CHART / "values.yaml").read_text("utf-8")
    own = _describe(yaml.safe_load(text), (), _remarks(text))
    own["properties"]["config"] = written
    # Helm adds it for charts that have this one as a part.
    own["properties"]["global"] = {"type": "object"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "agen-authz"}
    return json.dumps(_without_large_counts(head | own | {"$defs": definitions}), indent=2) + "\n"


def _without_large_counts(value: Any) -> Any:
    """Write patterns as Go's regular expressions allow them: at most 1000 of one thing; the length says the rest."""
    if isinstance(value, list):
        return [_without_large_counts(each) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {_shorten(key)[0]: _without_large_counts(part) for key, part in value.items()}
    if isinstance(value.get("pattern"), str):
        pattern, most = _shorten(value["pattern"])
        changed["pattern"] = pattern
        if most:
            changed["maxLength"] = most
    return changed


def _shorten(pattern: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\^\[.*\])\{1,(\d{4,})\}\$", pattern)
    return (pattern, 0) if found is None else (f"{found[1]}+$", int(found[2]))


def _describe(value: object, path: tuple[str, ...], remarks: Mapping[str, str]) -> dict[str, Any]:
    spelled = ".".join(path)
    shape = _SHAPES.get(spelled)
    described = dict(shape) if shape is not None else _infer(value, path, remarks)
    remark = remarks.get(spelled)
    return {"description": remark, **described} if remark else described


def _infer(value: object, path: tuple[str, ...], remarks: Mapping[str, str]) -> dict[str, Any]:
    match value:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case str():
            return {"type": "string"}
        case list():
            texts = bool(value) and all(isinstance(each, str) for each in value)
            return {"type": "array", "items": {"type": "string" if texts else "object"}}
        case {} if not value:
            return {"type": "object"}
        case dict():
            parts = {key: _describe(part, (*path, key), remarks) for key, part in value.items()}
            return {"type": "object", "additionalProperties": False, "properties": parts}
        case _:
            raise ValueError(f"`{'.'.join(path)}` has no type: give it a default, or a row in _SHAPES")


def _remarks(text: str) -> dict[str, str]:
    return dict(_find_remarks(text.splitlines()))


def _find_remarks(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Find the remark of each key: from `# --` to the key below it, as helm-docs reads it."""
    path: list[tuple[int, str]] = []
    remark: list[str] = []
    for line in lines:
        bare = line.strip()
        if bare.startswith("#"):
            remark = [bare[4:].strip()] if bare.startswith("# --") else [*remark, bare[1:].strip()]
            continue
        key = re.match(r"( *)([A-Za-z_]+):", line)
        if key is not None:
            indent = len(key[1])
            path = [each for each in path if each[0] < indent] + [(indent, key[2])]
            if remark:
                yield ".".join(name for _, name in path), " ".join(remark)
        remark = []
