"""Parameters of OAuth requests: each at most once, no more of them than needed (RFC 6749 section 3.1)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from agen_authz.demo.issuer.people import ABOUT_SCOPES, IDENTITY_SCOPE, SCOPES
from agen_authz.demo.issuer.refusal import Refused

MAX_FORM_BYTES = 16 * 1024
_MAX_FIELDS = 40

Form = Mapping[str, str]


def parse_form(raw: bytes) -> Form | Refused:
    """Read application/x-www-form-urlencoded; what is given twice has no meaning."""
    if len(raw) > MAX_FORM_BYTES:
        return Refused("invalid_request", "too long", 413)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return Refused("invalid_request", "not a readable form")
    names = [name for name, _ in pairs]
    if names.count("resource") > 1:
        return Refused("invalid_target", "a token is for one resource only")
    if len(set(names)) != len(names):
        return Refused("invalid_request", "a parameter is given more than once")
    # RFC 6749 section 3.1: a parameter without value is treated as one that is absent.
    return {name: value for name, value in pairs if value}


def read_resource(form: Form, resources: tuple[str, ...]) -> str | Refused:
    """Find the resource that a token is asked for (RFC 8707 section 2)."""
    asked = form.get("resource", resources[0] if len(resources) == 1 else None)
    if asked is None:
        return Refused("invalid_target", "`resource` must name what the token is for")
    if asked not in resources:
        return Refused("invalid_target", "`resource` is unknown here")
    return asked


def is_sign_in_only(form: Form, scopes: tuple[str, ...]) -> bool:
    """True if nothing is asked for but who signs in: such a request names no resource (OpenID Connect Core 1.0)."""
    return "resource" not in form and IDENTITY_SCOPE in scopes and {IDENTITY_SCOPE, *ABOUT_SCOPES}.issuperset(scopes)


def read_scopes(form: Form, default: tuple[str, ...]) -> tuple[str, ...] | Refused:
    """Read the scopes asked for, each once, in their order."""
    if "scope" not in form:
        return default
    asked = tuple(dict.fromkeys(form["scope"].split(" ")))
    if not set(asked) <= ABOUT_SCOPES.union(SCOPES):
        return Refused("invalid_scope", "a scope is unknown here")
    return asked
