"""Who asks at the token endpoint: RFC 6749 section 2.3, with `none` for public clients."""

import binascii
import hmac
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus

from agen_authz.demo.issuer.client import Client, ClientBook
from agen_authz.demo.issuer.form import Form
from agen_authz.demo.issuer.refusal import Refused

_UNKNOWN = Refused("invalid_client", "the client is unknown or its secret is wrong", 401)


@dataclass(frozen=True, slots=True)
class _Credentials:
    client_id: str
    secret: str | None


def authenticate(clients: ClientBook, form: Form, authorization: str | None) -> Client | Refused:
    """Find the client that sent this form, if it proves that it is that one."""
    credentials = _read_credentials(form, authorization)
    if isinstance(credentials, Refused):
        return credentials
    client = clients.find(credentials.client_id)
    if client is None:
        return _UNKNOWN
    if client.secret is None or credentials.secret is None:
        # A public client has no secret to show, a confidential one must show its own.
        return client if client.secret is None and credentials.secret is None else _UNKNOWN
    if not hmac.compare_digest(client.secret.encode(), credentials.secret.encode()):
        return _UNKNOWN
    return client


def _read_credentials(form: Form, authorization: str | None) -> _Credentials | Refused:
    if authorization is None:
        if "client_id" not in form:
            return Refused("invalid_client", "no client is named", 401)
        return _Credentials(form["client_id"], form.get("client_secret"))
    credentials = _read_basic(authorization)
    if credentials is None:
        return Refused("invalid_client", "the authorization header is not readable", 401)
    if "client_secret" in form or form.get("client_id", credentials.client_id) != credentials.client_id:
        return Refused("invalid_request", "a client authenticates in one way only")
    return credentials


def _read_basic(authorization: str) -> _Credentials | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, mark, secret = text.partition(":")
    # RFC 6749 section 2.3.1: both halves are form-encoded before they are put together.
    return _Credentials(unquote_plus(client_id), unquote_plus(secret)) if mark else None
