"""Renders docs/configuration.md from the configuration's models; `make golden` writes it."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agen_authz.app.reload import FIXED_LIMITS
from agen_authz.config.built import UNBUILT
from agen_authz.config.model import Config
from agen_authz.config.reading.tree import spell

_INTRO = """\
# Configuration

The configuration is one YAML file. A key that is not on this page is an error, and so is a key that appears twice. All
mistakes are reported at once, each with file, line and what to do. Durations are written 250ms, 5s, 10m, 4h or 7d;
sizes 64KiB, 4MiB or 1GiB; shares 1%. Secrets are never in the file: `*_file` names a file, `*_env` an environment
variable. Selectors name targets as `server/name`: `*` matches within one part, `**` any rest (URIs).

    agen-authz check-config agen.yaml --no-secrets
    agen-authz config-schema > agen.schema.json

A key marked *not yet* belongs to a capability that this version does not have: `serve` does not start if the file has
it, and `check-config` names it. This page is rendered from `agen_authz/config`.

## Reload

The file is read again on SIGHUP, and after a change of the file, of a secret or of a certificate that it names. After a
change, it is read as soon as no process has it open for writing and it has stayed the same for one second (five seconds
if it belongs to another user, because the kernel then does not report who is writing it). The safest way to change a
file is to write a new one and move it into place. If a file has once had the last line `end: true`, no file without
that line is loaded afterwards, not even at a later start with the same store. So a file that was cut short by a full
disk or a failed copy is refused. `serve` does not start from a file that is open for writing.

A reload takes effect completely or not at all. If a file cannot be used, the last good one stays in effect, and the
log, `agen_policy_reload_total` and the details of `/readyz` report it. A call that has begun is decided by the
configuration that it began with; each event names its configuration (`policy_set`). A change of these keys is refused
until a restart (except `server.metadata_key_file`):

FIXED.
"""
_FIXED = ("server.*", "store.*", "access.mapping", *(f"limits.{key}" for key in FIXED_LIMITS))


def render() -> str:
    """Render the page."""
    parts = [_INTRO.replace("FIXED", ", ".join(f"`{key}`" for key in _FIXED))]
    for path, model in _sections(Config, ()):
        heading = spell(path) or "Top level"
        parts.append(
            f"\n## {heading}\n\n{(model.__doc__ or '').strip()}\n\n| key | default | meaning |\n|---|---|---|\n"
        )
        parts.extend(_row(path, name, field) for name, field in model.model_fields.items())
    return "".join(parts)


def _sections(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    yield path, model
    seen: set[type[BaseModel]] = set()
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        # Several keys of one section may be written alike: the first has the table.
        if inner in seen:
            continue
        seen |= {inner} if inner is not None else set()
        if (inner is not None and name != "policies") or (path == () and inner is not None):
            yield from _sections(inner, (*path, name))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _row(path: tuple[str, ...], name: str, field: FieldInfo) -> str:
    note = " *(not yet)*" if (*path, name) in UNBUILT else ""
    return f"| `{name}` | {_default(field)} | {field.description or ''}{note} |\n"


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "required"
    if isinstance(value, BaseModel):
        return "see below"
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, tuple) and isinstance(value[0], BaseModel):
        return "standard output, as JSON"
    is_duration = any("duration" in repr(part) for part in field.metadata)
    return f"`{_duration(value) if is_duration else _plain(value)}`"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.0%}"
    if isinstance(value, tuple):
        return f"[{', '.join(str(part) for part in value)}]"
    return _size(value) if isinstance(value, int) and value >= 1 << 20 else str(value)


def _duration(seconds: float) -> str:
    if seconds == 0:
        return "0s"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms"


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count % size == 0:
            return f"{count // size}{unit}"
    return str(count)
