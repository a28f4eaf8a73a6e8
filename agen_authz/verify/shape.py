"""Reads `signature-input` and `signature` (RFC 9421 section 4): our own form strictly, any other with a library."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from hmac import compare_digest
from typing import NamedTuple

from http_sfv.dictionary import Dictionary
from http_sfv.item import InnerList, Item

from agen_authz.core.memory import remember
from agen_authz.core.signature import ALGORITHM, LABEL, TAG, digest_content
from agen_authz.verify.refusal import Check, NotVerified

_TEXT = r"[ !#-\[\]-~]"  # of a String (RFC 9651 section 4.2.5) that needs no escape
_COMPONENT = rf'"{_TEXT}+"(?:;name="{_TEXT}+")?'
_TIME = "(0|[1-9][0-9]{0,11})"
# Ours, in two parts: up to the parenthesis that closes, which is the same in every request, and what follows.
_COVERED = re.compile(rf"{LABEL}=\((?:{_COMPONENT} )*{_COMPONENT}")
_PARAMETERS = re.compile(
    rf";created={_TIME};expires={_TIME}"
    rf';nonce="([0-9A-Za-z]{{16,128}})";keyid="({_TEXT}{{1,256}})";alg="{ALGORITHM}";tag="{TAG}"'
)
_LABELLED = re.compile(rf"(?:^|,)[ \t]*{LABEL}[ \t]*(?:[=,;]|$)")
_KEYID = re.compile(r';[ ]*keyid="((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r"\\(.)")
# The library needs a microsecond a character: what it reads is short, of few signers, one of them known.
_MAX_FOREIGN, _MAX_SIGNERS = 2048, 8
_MIN_NONCE, _MAX_NONCE = 16, 256
_MAX_TIME = 10**12
# RFC 9530 section 5: the two active algorithms.
_HASHES = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


class Claim(NamedTuple):
    """What a signature says of itself (RFC 9421 section 2.3).

    Attributes:
        text: the value of `@signature-params`.
        covered: component identifiers without quotes around the name, `@query-param;name="x"` with its parameter.
    """

    text: str
    covered: tuple[str, ...]
    created: int
    expires: int
    nonce: str
    keyid: str


def _is_any(_keyid: str) -> bool:
    return True


def read_claim(signature_input: str, is_known: Callable[[str], bool] = _is_any) -> Claim:
    """Read the one signature with our label.

    What is not in our own shape goes through a library, which takes its time: it is short, and names a known key.

    Args:
        is_known: True for the id of a key.

    Raises:
        NotVerified: there is none, there are two, or it says less or other than ours do.
    """
    # A parenthesis within a name ends the first part in the middle of a string, which is then not ours.
    head, _, rest = signature_input.partition(")")
    covered, parameters = _read_covered(head), _PARAMETERS.fullmatch(rest)
    if not covered or parameters is None:
        _check_cost(signature_input, is_known)
        return read_with_library(signature_input)
    created, expires, nonce, keyid = parameters.groups()
    return Claim(signature_input[len(LABEL) + 1 :], covered, int(created), int(expires), nonce, keyid)


def _check_cost(signature_input: str, is_known: Callable[[str], bool]) -> None:
    _check_size(signature_input, Check.SIGNATURE_INPUT)
    named = set(_KEYID.findall(signature_input))
    if not 0 < len(named) <= _MAX_SIGNERS:
        raise NotVerified(Check.SIGNATURE_INPUT, f"`keyid` is missing, or there are more than {_MAX_SIGNERS}")
    if not any(is_known(_ESCAPED.sub(r"\1", keyid)) for keyid in named):
        raise NotVerified(Check.KEY, "no `keyid` names a key")


def _check_size(header: str, check: Check) -> None:
    if len(header) > _MAX_FOREIGN:
        raise NotVerified(check, f"longer than {_MAX_FOREIGN} characters, and not in the shape that the gateway writes")


@remember(128)
def _read_covered(head: str) -> tuple[str, ...]:
    if _COVERED.fullmatch(head) is None:
        return ()
    return tuple(f"{name}{parameter}" for name, parameter in re.findall(r'"([^"]+)"((?:;name="[^"]+")?)', head))


def read_with_library(signature_input: str) -> Claim:
    """Read a signature in any shape that RFC 9421 section 4.1 has; what it says is what `read_claim` says."""
    claimed = _find_member(signature_input, Check.SIGNATURE_INPUT)
    if not isinstance(claimed, InnerList):
        raise NotVerified(Check.SIGNATURE_INPUT, f"`{LABEL}` is not a list of components")
    # The serialised form is what is signed (RFC 9421 section 2.5), however it was written.
    text, parameters = str(claimed), dict(claimed.params)
    if parameters.get("tag") != TAG:
        raise NotVerified(Check.TAG, f"`tag` is not `{TAG}`")
    if parameters.get("alg") != ALGORITHM:
        raise NotVerified(Check.ALGORITHM, f"`alg` is not `{ALGORITHM}`")
    nonce, keyid = (_require_text(parameters, name) for name in ("nonce", "keyid"))
    if not _MIN_NONCE <= len(nonce) <= _MAX_NONCE:
        raise NotVerified(Check.NONCE, f"`nonce` is not {_MIN_NONCE} to {_MAX_NONCE} characters long")
    created, expires = (_require_time(parameters, name) for name in ("created", "expires"))
    return Claim(text, tuple(map(_name_component, claimed)), created, expires, nonce, keyid)


def _find_member(header: str, check: Check) -> object:
    # A dictionary in which a key comes twice means its last (RFC 9651 section 3.2): others may take the first.
    if len(_LABELLED.findall(header)) != 1:
        raise NotVerified(check, f"there is not exactly one `{LABEL}`")
    members = Dictionary()
    try:
        members.parse(header.encode("ascii"))
    except (ValueError, IndexError) as exc:
        raise NotVerified(check, "not a dictionary of RFC 9651") from exc
    return members.get(LABEL)


def _name_component(component: object) -> str:
    # Parameters as `key`, `bs` or `req` cover another thing than the whole header of this request.
    if not isinstance(component, Item) or type(component.value) is not str:
        raise NotVerified(Check.COMPONENTS, "a covered component is not a string")
    parameters = dict(component.params)
    name = parameters.pop("name", None)
    if parameters or (name is not None and type(name) is not str):
        raise NotVerified(Check.COMPONENTS, "a covered component has parameters that are not understood")
    return component.value if name is None else f'{component.value};name="{name}"'


def _require_text(parameters: dict[str, object], name: str) -> str:
    found = parameters.get(name)
    if type(found) is not str:
        raise NotVerified(Check.SIGNATURE_INPUT, f"`{name}` is missing, or not a string")
    return found


def _require_time(parameters: dict[str, object], name: str) -> int:
    found = parameters.get(name)
    if type(found) is not int or not 0 <= found < _MAX_TIME:
        raise NotVerified(Check.TIME, f"`{name}` is missing, or not a time")
    return found


def is_signature(header: str, expected: bytes) -> bool:
    """True if a `signature` header holds `expected` under our label, in constant time.

    Raises:
        NotVerified: it holds no signature with our label, or two.
    """
    ours = f"{LABEL}=:{b64encode(expected).decode('ascii')}:"
    if compare_digest(header.encode("ascii"), ours.encode("ascii")):
        return True
    _check_size(header, Check.SIGNATURE)
    found = _find_member(header, Check.SIGNATURE)
    if not isinstance(found, Item) or not isinstance(found.value, bytes):
        raise NotVerified(Check.SIGNATURE, f"`{LABEL}` is not a byte sequence")
    return compare_digest(found.value, expected)


def is_digest(header: str, body: bytes) -> bool:
    """True if every digest of `content-digest` that is understood is the body's, and `sha-256` is one."""
    if compare_digest(header.encode("ascii"), digest_content(body).encode("ascii")):
        return True
    digests = Dictionary()
    try:
        digests.parse(header.encode("ascii"))
    except (ValueError, IndexError):
        return False
    known = {name: digests[name] for name in _HASHES if name in digests}
    return "sha-256" in known and all(
        isinstance(item, Item) and item.value == _HASHES[name](body).digest() for name, item in known.items()
    )
