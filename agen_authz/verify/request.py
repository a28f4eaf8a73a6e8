"""A request as it reached the backend, read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agen_authz.core.header import chooses_reading
from agen_authz.core.signature import SIGNATURE_HEADERS
from agen_authz.verify.refusal import Check, NotVerified

_MAX_HEADER = 16_384
# RFC 9421 section 4: both may come in more than one field line, if another party has signed as well.
_MAY_REPEAT = frozenset(SIGNATURE_HEADERS[1:])


@dataclass(frozen=True, slots=True)
class Received:
    """What arrived.

    Attributes:
        path: percent-encoded as it came, without the query.
        query: without the question mark; None if there is no question mark.
        headers: names in lower case; the values of a repeated one joined by a comma and a space.
        repeated: the names that came more than once.
    """

    method: str
    path: str
    query: str | None
    headers: Mapping[str, str]
    scheme: str = "http"
    repeated: frozenset[str] = field(default=frozenset())


def read_headers(lines: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], frozenset[str]]:
    """Read header lines into (values by name, names that came more than once).

    Raises:
        NotVerified: a name that some framework would take for one that is signed.
    """
    pairs = list(lines)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1").strip(" \t") for name, value in pairs}
    repeated = frozenset[str]() if len(headers) == len(pairs) else _join_repeated(headers, pairs)
    for name in headers:
        if "_" in name and is_always_signed(name.replace("_", "-")):
            raise NotVerified(Check.HEADERS, "some frameworks read a name with an underscore as one that is signed")
    return headers, repeated


def _join_repeated(headers: dict[str, str], pairs: Iterable[tuple[bytes, bytes]]) -> frozenset[str]:
    values: dict[str, list[str]] = {name: [] for name in headers}
    for name, value in pairs:
        values[name.decode("latin-1").lower()].append(value.decode("latin-1").strip(" \t"))
    headers.update((name, ", ".join(found)) for name, found in values.items())
    return frozenset(name for name, found in values.items() if len(found) > 1)


def is_always_signed(name: str) -> bool:
    """True for a header that the gateway signs in every request that has it: it says who calls, or how to read."""
    return name.startswith("agen-") or chooses_reading(name)


def require(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header that must be there, in printable ASCII and of a sane size."""
    value = headers.get(name)
    if value is None:
        raise NotVerified(Check.HEADERS, f"`{name}` is missing")
    if len(value) > _MAX_HEADER or not (value.isascii() and value.isprintable()):
        raise NotVerified(Check.HEADERS, f"`{name}` is too long, or not printable ASCII")
    return value


def check_values(headers: Mapping[str, str], lines: Sequence[tuple[str, str]]) -> None:
    """Refuse lines of a signature base with a header that `require` refuses; all are looked at at once."""
    together = "".join([value for _, value in lines])
    if len(together) <= _MAX_HEADER and together.isascii() and together.isprintable():
        return
    for name, _ in lines:
        if not name.startswith("@"):
            require(headers, name)


def refuse_repeated(received: Received, names: Iterable[str]) -> None:
    """Refuse a header that came twice: which copy an application reads is not known."""
    for name in received.repeated.intersection(names) - _MAY_REPEAT:
        raise NotVerified(Check.HEADERS, f"`{name}` came more than once")
