"""What is rendered once for many answers: only output is kept here (core/memory.py), and nothing is decided on it."""

from collections.abc import Mapping
from typing import TypeAlias

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.header import HeaderNames, is_forwarded, list_forwarded
from agen_authz.core.memory import Memory
from agen_authz.core.model import Envelope, Era, Resource, Shape
from agen_authz.core.signature import IDENTITY_HEADERS, SIGNATURE_HEADERS
from agen_authz.wire.identity import render_text, set_header
from agen_authz.wire.sealed import PROC_KEY

INSPECT_KEY = "agen.inspect"
_ON_WORD = "on"
_MAX_KEPT = 1024
_MAX_KEPT_BYTES = 4096


# A resource's name, the era, whether there is a message and an inspection, and the names of the headers.
_Key: TypeAlias = tuple[str, Era, bool, bool, tuple[str, ...]]
_WITHOUT_MESSAGE = frozenset({Shape.STREAM, Shape.END})


class Templates:
    """Serialised parts of answers.

    Args:
        off_word: what `agen.inspect` says so that Envoy skips the inspection of the response.
    """

    def __init__(self, off_word: str) -> None:
        self.off_word = off_word
        self.skips_inspection = _render_metadata({INSPECT_KEY: off_word})
        self._resource_parts: Memory[_Key, bytes] = Memory(_MAX_KEPT)

    def render_resource(
        self, resource: Resource, envelope: Envelope, names: HeaderNames, *, is_inspected: bool
    ) -> bytes:
        """Render the part of an OkHttpResponse that names the resource and removes what is not for the backend.

        Args:
            is_inspected: the response will be read, so it must not be compressed.
        """
        has_message = envelope.shape not in _WITHOUT_MESSAGE
        key = (resource.name, envelope.era, has_message, is_inspected, names.names)
        known = self._resource_parts.find(key)
        return known if known is not None else self._keep(key, resource)

    def _keep(self, key: _Key, resource: Resource) -> bytes:
        part = _render_resource(resource, key)
        # Bounded in size: clients choose the names, and those that reach the backend are in the key only.
        if len(part) + sum(map(len, key[-1])) <= _MAX_KEPT_BYTES:
            self._resource_parts.keep(key, part)
        return part


def render_inspection(sealed: str) -> bytes:
    """Render the part of a CheckResponse that has the response inspected, and tells Process how."""
    return _render_metadata({INSPECT_KEY: _ON_WORD, PROC_KEY: sealed})


def _render_metadata(told: Mapping[str, str]) -> bytes:
    response = pb.CheckResponse()
    response.dynamic_metadata.update(told)
    return response.SerializeToString()


def _render_resource(resource: Resource, key: _Key) -> bytes:
    allowed = pb.OkHttpResponse()
    set_header(allowed, "agen-resource", render_text(resource.name))
    allowed.headers_to_remove.extend(_headers_to_remove(resource, key))
    return allowed.SerializeToString()


def _headers_to_remove(resource: Resource, key: _Key) -> list[str]:
    """List what the client sent and the backend does not get; a header that we set must not be among it."""
    _, era, has_message, is_inspected, names = key
    kept = list_forwarded(resource.forward_headers, has_token=resource.forward_token, is_resumable=resource.resumable)
    kept = kept.union(IDENTITY_HEADERS, SIGNATURE_HEADERS if resource.is_signed else ())
    if is_inspected:
        kept -= {"accept-encoding"}
    is_modern = era is Era.MODERN
    return [
        name
        for name in names
        if name[0] != ":" and not is_forwarded(name, kept, is_modern=is_modern, has_message=has_message)
    ]
