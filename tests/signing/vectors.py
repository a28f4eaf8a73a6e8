"""The test vectors in tests/cases/sign: requests as a backend sees them, and what it has to say of each."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agen_authz.core.header import chooses_reading
from agen_authz.core.signature import MANDATORY

FOLDER = Path(__file__).resolve().parent.parent / "cases" / "sign"
ACCEPTED, REFUSED = "accepted.json", "refused.json"


@dataclass(frozen=True, slots=True)
class Vector:
    """One request, and the backend that it reaches.

    Attributes:
        keys: the secrets of this backend by their ids.
        components: `signing.components` of the gateway.
        is_second: the same request was accepted before.
        covered: the identifiers of the signature base, without its last line.
        refused: the checks that may refuse it; none where it is to be accepted.
    """

    name: str
    keys: dict[str, bytes]
    resource: str
    components: tuple[str, ...]
    now: int
    method: str
    scheme: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    covered: tuple[str, ...]
    signed_text: str
    identity: dict[str, Any]
    is_second: bool
    refused: tuple[str, ...]

    def header(self, name: str) -> str:
        """Join the values of a header as RFC 9421 section 2.1 does; a KeyError where it is missing."""
        found = [value for key, value in self.headers if key == name]
        if not found:
            raise KeyError(name)
        return ", ".join(found)

    def with_headers(self, headers: Mapping[str, str]) -> "Vector":
        """Replace the values of headers that the request has, and append the others."""
        kept = tuple((name, headers.get(name, value)) for name, value in self.headers)
        added = tuple((name, value) for name, value in headers.items() if name not in dict(self.headers))
        return replace(self, headers=kept + added)

    @property
    def mandatory(self) -> tuple[str, ...]:
        """What must be covered: the twelve, what chooses how the body is read, and what the gateway adds."""
        reading = sorted({name for name, _ in self.headers if chooses_reading(name)})
        return tuple(dict.fromkeys((*MANDATORY, *reading, *self.components)))

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str | None:
        return self.target.partition("?")[2] if "?" in self.target else None

    @property
    def parameters(self) -> str:
        return self.signed_text.rpartition('"@signature-params": ')[2]


def load(file: str) -> list[Vector]:
    """Read the vectors of one file."""
    return [read(entry) for entry in json.loads((FOLDER / file).read_text("utf-8"))]


def load_for_any_library() -> list[Vector]:
    """Read what a library for RFC 9421 can be expected to refuse.

    It is no verifier of ours: it reads headers as a mapping, knows neither resources nor what `agen-*` means, remembers
    no nonces, has another bound for the time, and takes any digest that is of the body.
    """
    ours = {"headers", "nonce", "resource", "time"}
    alone = {"identity header that is not covered", "other kind of digest"}
    return [vector for vector in load(REFUSED) if not ours & set(vector.refused) and vector.name not in alone]


def read(entry: dict[str, Any]) -> Vector:
    """Read one vector."""
    request, lines = entry["request"], entry["signature_base"]
    return Vector(
        name=entry["name"],
        keys={key["id"]: bytes.fromhex(key["secret_hex"]) for key in entry["keys"]},
        resource=entry["resource"],
        components=tuple(entry["components"]),
        now=entry["now"],
        method=request["method"],
        scheme=request["scheme"],
        target=request["target"],
        headers=tuple((name, value) for name, value in request["headers"]),
        body=request["body"].encode("utf-8"),
        covered=tuple(_identifier(line) for line in lines[:-1]),
        signed_text="\n".join(lines),
        identity=entry.get("identity", {}),
        is_second=entry.get("sent_before", False),
        refused=tuple(entry.get("refused", ())),
    )


def _identifier(line: str) -> str:
    name, _, rest = line[1:].partition('"')
    return f"{name}{rest.partition(': ')[0]}"


def signature_of(vector: Vector) -> bytes:
    """Decode the signature that arrived."""
    return b64decode(vector.header("signature").partition("=:")[2].removesuffix(":"))


def encode(raw: bytes) -> str:
    """Encode bytes for a header or a JSON string."""
    return b64encode(raw).decode("ascii")
