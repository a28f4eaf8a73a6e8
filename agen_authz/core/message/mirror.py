"""Headers that repeat what the body says: how their values are written, and whether they agree with it.

A client repeats the name that a call is about in `mcp-name`, and arguments that a tool's schema marks in
`mcp-param-NAME` (MCP 2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters"). Which arguments those
are only the server knows; but a value that no argument has repeats nothing, and an argument of the header's own
name is the one that it repeats. Routers go by such headers, so one that lies is refused, in either era.
"""

import re
from base64 import b64decode, b64encode

from agen_authz.core.header import PARAMETER_PREFIX
from agen_authz.core.model import Json, Mirrored
from agen_authz.core.twin import fold_parameter

_BASE64 = re.compile(r"=\?base64\?(.*)\?=")
# As long as a double holds every digit.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,3})?")
# Stands for every argument; no name has a blank.
_ANY = " "


def decode_value(value: str) -> str | None:
    """Decode a header's value if it is in Base64; None if it has no canonical form."""
    match = _BASE64.fullmatch(value)
    if match is None:
        return value
    try:
        decoded = b64decode(match[1], validate=True)
        # Spare bits or padding of another form would be a second spelling of one name.
        return decoded.decode("utf-8") if b64encode(decoded).decode("ascii") == match[1] else None
    except ValueError:
        return None


def repeats(value: str, held: Json) -> bool:
    """True if a header has the value of this argument."""
    return _is_among(value, set(_write(held)))


def is_mirrored(mirrored: Mirrored) -> bool:
    """True if each of the `mcp-param-` headers has the value of an argument that it can repeat."""
    return not find_unmirrored(mirrored)


def find_unmirrored(mirrored: Mirrored) -> frozenset[str]:
    """Find the `mcp-param-` headers that have the value of no argument that they can repeat.

    It walks over all the arguments: ask it of callers who may make the call.
    """
    written = _write_members(mirrored.arguments)
    return frozenset(
        name
        for name, value in mirrored.headers.items()
        if not _is_among(value, written.get(fold_parameter(name.removeprefix(PARAMETER_PREFIX)), written[_ANY]))
    )


def _is_among(value: str, written: set[str | float]) -> bool:
    text = decode_value(value)
    if text is None or not (value.isascii() and value.isprintable()):
        return False
    # By number, too ("Server Validation"): 42.0 and 42 are equal.
    return text in written or (_NUMBER.fullmatch(text) is not None and float(text) in written)


def _write_members(arguments: Json) -> dict[str, set[str | float]]:
    """Write every member that a header can repeat, by its name: all of them in one walk, whatever callers send."""
    written: dict[str, set[str | float]] = {_ANY: set()}
    pending = [arguments]
    while pending:
        each = pending.pop()
        # Lists are not looked into: what is in one cannot be marked ("statically reachable").
        if isinstance(each, dict):
            pending.extend(each.values())
            for key, held in each.items():
                texts = _write(held)
                written[_ANY].update(texts)
                if texts:
                    written.setdefault(fold_parameter(key), set()).update(texts)
    return written


def _write(held: Json) -> tuple[str | float, ...]:
    if isinstance(held, bool):
        return ("true" if held else "false",)
    if isinstance(held, int | float):
        return (str(held), held)
    return (held,) if isinstance(held, str) else ()
