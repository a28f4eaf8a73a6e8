"""One spelling for what a parser read, so that readings by different runtimes compare as text."""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from agen_authz.core.message.method import find_method
from agen_authz.core.model import Call, Shape

FIELDS = ("method", "id", "name", "uri", "ref_name", "ref_uri", "subscriptions", "arguments")
REFUSED = "!"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one parser reads of a message, each field in normal form; `n` is absent or null."""

    method: str
    id: str
    name: str
    uri: str
    ref_name: str
    ref_uri: str
    subscriptions: str
    arguments: str


def normal(value: Any) -> str:
    """Write a value so that two are equal if and only if their texts are; numbers as IEEE doubles."""
    if value is None:
        return "n"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int | float):
        number = float(value)
        return "d" + struct.pack(">d", number if number else 0.0).hex()
    if isinstance(value, str):
        return "s" + value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, list):
        return "[" + ",".join(map(normal, value)) + "]"
    parts = [f"{key.encode('utf-8', 'surrogatepass').hex()}:{normal(item)}" for key, item in value.items()]
    return "{" + ",".join(sorted(parts)) + "}"


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def reading_of(document: Any) -> Reading:
    """Pick out of a parsed document what a backend would act on."""
    top = _members(document)
    params = _members(top.get("params"))
    ref, wanted = _members(params.get("ref")), _members(params.get("notifications"))
    values = (
        *(top.get("method"), top.get("id"), params.get("name"), params.get("uri"), ref.get("name"), ref.get("uri")),
        *(wanted.get("resourceSubscriptions"), params.get("arguments")),
    )
    return Reading(*map(normal, values))


def read_line(answer: str) -> dict[str, Reading | None]:
    """Split one answer of another runtime: its first reading and its second; None where it refused."""
    fields = answer.split("\t")
    readings: list[Reading | None] = []
    while fields:
        taken = 1 if fields[0] == REFUSED else len(FIELDS)
        readings.append(None if taken == 1 else Reading(*fields[:taken]))
        fields = fields[taken:]
    return dict(zip(("plain", "other"), readings, strict=True))


def _first_key_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


# The parsers of this process: the last of two equal keys wins, then another implementation, then the first.
IN_PROCESS: dict[str, Callable[[bytes], Any]] = {
    "python": json.loads,
    "orjson": orjson.loads,
    "first key wins": lambda body: json.loads(body, object_pairs_hook=_first_key_wins),
}


def read_in_process(body: bytes) -> dict[str, Reading | None]:
    """Read a body with every parser of this process; None where it refused."""
    readings: dict[str, Reading | None] = {}
    for name, loads in IN_PROCESS.items():
        try:
            readings[name] = reading_of(loads(body))
        except ValueError:
            readings[name] = None
    return readings


def differences(call: Call, reading: Reading) -> list[str]:
    """List what a parser reads in another way than we did; empty where it reads the same."""
    named = {
        "tools/call": [reading.name],
        "prompts/get": [reading.name],
        "resources/read": [reading.uri],
        "resources/subscribe": [reading.uri],
        "resources/unsubscribe": [reading.uri],
        "completion/complete": [each for each in (reading.ref_name, reading.ref_uri) if each != "n"],
        "subscriptions/listen": [each for each in reading.subscriptions.strip("[]n").split(",") if each],
    }
    method = "n" if call.envelope.shape is Shape.RESPONSE else normal(call.method)
    pairs = {"method": (method, reading.method), "id": (normal(call.envelope.id), reading.id)}
    # A method that its era does not have is not read further: it is denied, whatever it names.
    if not call.uses_task and find_method(call.method, call.envelope.era) is not None:
        targets = [normal(target.name) for target in call.targets]
        pairs["targets"] = (",".join(targets), ",".join(named.get(call.method, [])))
    if call.arguments is not None:
        theirs = "{}" if reading.arguments == "n" else reading.arguments
        pairs["arguments"] = (normal(dict(call.arguments)), theirs)
    return [f"{part}: {ours} is read as {theirs}" for part, (ours, theirs) in pairs.items() if ours != theirs]
