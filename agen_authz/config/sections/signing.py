"""`signing`: signatures for backends. What cannot be signed, or would not arrive as it was signed, is a mistake."""

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Lines, Section
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import PositiveSeconds
from agen_authz.config.sections.resources import Resource
from agen_authz.core.header import is_field_name, is_forwarded, list_forwarded
from agen_authz.core.signature import DERIVED, MANDATORY, QUERY_PARAM, SIGNATURE_HEADERS

_MIN_EXPIRES_S, _MAX_EXPIRES_S = 1.0, 300.0
_QUERY_PARAM = re.compile(re.escape(QUERY_PARAM) + r';name="(?:[A-Za-z0-9*._-]|%[0-9A-F]{2})+"')
# Proxies rewrite these.
_CHANGED = frozenset(
    {
        "accept-encoding",
        "content-length",
        "host",
        "traceparent",
        "tracestate",
        "transfer-encoding",
    }
)
_PATH: Path = ("signing", "components")


class Signing(Section):
    """Signatures for backends."""

    expires: PositiveSeconds = Field(60.0, description="How long a signature is valid.")
    components: Lines = Field(
        (),
        description="Components to sign besides the mandatory ones: `@method`, `@path`, `@query`, `content-digest`,"
        " every `agen-*` header, and `content-type`, `content-encoding`, `last-event-id` and `mcp-*` headers that the"
        " backend gets.",
    )


def check_signing(findings: Findings, signing: Signing, resources: Sequence[Resource]) -> None:
    """Check how long signatures are good and what they cover."""
    if not _MIN_EXPIRES_S <= signing.expires <= _MAX_EXPIRES_S:
        cure = "write 60s; who verifies refuses more than 300s"
        findings.add(("signing", "expires"), "a signature is good for one second to five minutes", cure)
    seen: set[str] = set()
    for index, component in enumerate(signing.components):
        for message, cure in _find_flaws(resources, component, seen):
            findings.add((*_PATH, index), message, cure)
        seen.add(component)


def _find_flaws(resources: Sequence[Resource], component: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    if component in MANDATORY or component in seen:
        yield f"`{component}` is signed already", "leave it out"
    elif component.startswith("@"):
        if component not in DERIVED and not _QUERY_PARAM.fullmatch(component):
            cure = f'use {", ".join(sorted(DERIVED))} or {QUERY_PARAM};name="x"'
            yield f"`{component}` is not a derived component of a request (RFC 9421 section 2.2)", cure
    elif not is_field_name(component):
        yield f"`{component}` is not a header in lower case without parameters", "write the header's name"
    elif component in _CHANGED or component in SIGNATURE_HEADERS:
        yield f"`{component}` does not always arrive as it was sent", "leave it out"
    else:
        yield from _find_unforwarded(resources, component)


def _find_unforwarded(resources: Sequence[Resource], header: str) -> Iterator[tuple[str, str]]:
    for resource in resources:
        extra = (name.lower() for name in resource.forward_headers)
        forwarded = list_forwarded(extra, has_token=resource.forward_token, is_resumable=resource.resumable)
        is_sent = is_forwarded(header, forwarded, is_modern=False, has_message=True)
        if resource.signing_keys is not None and not is_sent:
            yield f"`{header}` is not forwarded to `{resource.name}`", "add it to the resource's `forward_headers`"
