"""What is rendered once for many answers; lives as long as one set of policies, so a reload clears it.

Only rendered output is kept here: nothing is decided on it.
"""

from collections.abc import Callable

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.header import FORWARDED_HEADERS, HeaderNames
from agen_authz.core.model import Era, Resource
from agen_authz.core.signature import IDENTITY_HEADERS, SIGNATURE_HEADERS
from agen_authz.wire.identity import render_text, set_header

INSPECT_KEY = "agen.inspect"
_MAX_KEPT = 1024
_MAX_KEPT_BYTES = 4096


class Templates:
    """Serialised parts of answers.

    Args:
        off_word: what `agen.inspect` says so that Envoy skips the inspection of the response.
    """

    def __init__(self, off_word: str) -> None:
        self.off_word = off_word
        self.skips_inspection = _render_metadata(off_word)
        self._resource_parts: dict[tuple[str, Era, tuple[str, ...]], bytes] = {}

    def render_resource(self, resource: Resource, era: Era, names: HeaderNames) -> bytes:
        """Render the part of an OkHttpResponse that names the resource and removes what is not for the backend."""
        key = (resource.name, era, names.names)
        known = self._resource_parts.get(key)
        return known if known is not None else self._keep(key, lambda: _render_resource(resource, era, names))

    def _keep(self, key: tuple[str, Era, tuple[str, ...]], render: Callable[[], bytes]) -> bytes:
        part = render()
        # Bounded in number and size: clients choose the names, and those that reach the backend are in the key only.
        if len(part) + sum(map(len, key[2])) <= _MAX_KEPT_BYTES:
            if len(self._resource_parts) >= _MAX_KEPT:
                self._resource_parts.clear()
            self._resource_parts[key] = part
        return part


def _render_metadata(off_word: str) -> bytes:
    response = pb.CheckResponse()
    response.dynamic_metadata[INSPECT_KEY] = off_word
    return response.SerializeToString()


def _render_resource(resource: Resource, era: Era, names: HeaderNames) -> bytes:
    allowed = pb.OkHttpResponse()
    set_header(allowed, "agen-resource", render_text(resource.name))
    allowed.headers_to_remove.extend(_headers_to_remove(resource, era, names))
    return allowed.SerializeToString()


def _headers_to_remove(resource: Resource, era: Era, names: HeaderNames) -> list[str]:
    """List what the client sent and the backend does not get; a header that we set must not be among it."""
    kept = FORWARDED_HEADERS | resource.forward_headers | frozenset(IDENTITY_HEADERS)
    if resource.is_signed:
        kept = kept | frozenset(SIGNATURE_HEADERS)
    if resource.forward_token:
        kept = kept | {"authorization"}
    if resource.resumable:
        kept = kept | {"last-event-id"}
    removed = [
        name for name in names.names if name not in kept and name[0] != ":" and not name.startswith("mcp-param-")
    ]
    if era is Era.MODERN and "mcp-session-id" in names.names:
        removed.append("mcp-session-id")
    return removed
