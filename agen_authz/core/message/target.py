"""Names of tools, prompts and resources in the one spelling that no backend can read as another.

A name that some backend might normalise (dot segments, escapes, control characters) is refused rather than
normalised: what rules are matched against is what the backend receives.
"""

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address

_TOOL = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_MAX_PROMPT_CHARS = 256
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
# RFC 3986 section 2, and the braces of URI templates; a fragment is never sent to a server.
_URI = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%{}-]{1,2048}")
# Schemes whose parsers lower the host, drop a default port and take `/` for `//` (WHATWG URL, "special scheme").
_WEB = frozenset({"http:", "https:", "ws:", "wss:", "ftp:"})
_WEB_REST = re.compile(
    r"//(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\]|\{[A-Za-z0-9_]+\})"
    r"(?::(?!(?:80|443|21)/)[1-9][0-9]{0,4})?/.*"
)
# A host whose last label is a number is read as IPv4 address (WHATWG URL, "ends in a number checker"), which has
# one spelling without hexadecimal, octal or missing parts.
_NUMBER_HOST = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
# A path that is opened: `//` is `/` to a file system, and a query is dropped on the way there.
_FILE_REST = re.compile(r"//(?:/[^/?]+)+/?|///")
# RFC 3986 sections 2.1 and 6.2.2: a percent sign starts two upper-case hex digits, and never spells a character
# that needs no escape, a separator, a control character or half a byte sequence that UTF-8 does not have; nor
# the same once more escaped.
_BAD_ESCAPE = re.compile(
    r"%(?![0-9A-F]{2})"
    r"|%(?:25)*(?:2[DEF]|5[CF]|7[EF]|[01][0-9A-F]|3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|C[01]|F[5-9A-F])"
    r"|%(?:25)+(?:2[def]|5[cf]|7[ef]|[01][a-f]|4[a-f]|5a|6[a-f]|7a)"
)
_WIDE_ESCAPES = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_ESCAPES = re.compile(r"(?:%[0-9A-F]{2})+")
_DOT_SEGMENTS = frozenset({".", ".."})


def is_tool_name(name: str) -> bool:
    """True if `name` is a tool name as we accept it: 1 to 128 of `A-Za-z0-9_.:/-`, no dot segment."""
    if _TOOL.fullmatch(name) is None:
        return False
    return "." not in name or _DOT_SEGMENTS.isdisjoint(name.split("/"))


def is_prompt_name(name: str) -> bool:
    """True if `name` is printable, of at most 256 characters, in Unicode's NFKC form, without blanks around it."""
    return 0 < len(name) <= _MAX_PROMPT_CHARS and name == name.strip() and _is_plain(name)


def is_uri_text(text: str) -> bool:
    """True if a text holds only what a URI or its template may hold, and is not too long; selectors hold no more."""
    return _URI.fullmatch(text) is not None


def is_resource_uri(uri: str) -> bool:
    """True if `uri` (or URI template) is absolute and spelt in the one way that needs no normalising."""
    scheme = _SCHEME.match(uri)
    if scheme is None or not is_uri_text(uri) or _BAD_ESCAPE.search(uri) or not _escapes_text(uri):
        return False
    rest = uri[scheme.end() :]
    if scheme[0] in _WEB and not _is_web_rest(rest):
        return False
    if scheme[0] == "file:" and not _FILE_REST.fullmatch(rest):
        return False
    before, mark, query = rest.partition("?")
    if mark and not query:
        # Most parsers cannot tell an empty query from none.
        return False
    segments = before.split("/")
    if rest.startswith("//") and ("@" in segments[2] or segments[2].endswith(":")):
        # An empty port is none (RFC 3986 section 6.2.3).
        return False
    return _DOT_SEGMENTS.isdisjoint(segment.partition(";")[0] for segment in segments)


def open_uri(uri: str) -> str:
    """Spell a URI or a selector of URIs as a backend would open it, without the parts that it ignores.

    Query, path parameters (`;v=1`), empty segments and a slash at the end are left out, and `docs:/hr` is
    `docs://hr`. A URI that names no path (`urn:isbn:1`) stays as it is. Policies compare this spelling too, so that
    no other spelling passes them; access rules never do.
    """
    scheme, mark, rest = uri.partition(":")
    if not mark:
        return uri
    path = rest.partition("?")[0]
    segments = [name for segment in path.split("/") if (name := segment.partition(";")[0])]
    if scheme == "file":
        return f"file:///{'/'.join(segments)}"
    return f"{scheme}:{'//' if '/' in path else ''}{'/'.join(segments)}"


def fold_uri(uri: str) -> str:
    """Spell what `open_uri` makes of a URI so that equal texts are one resource to some backend.

    Besides case, it looks away from whether letters beyond ASCII are escaped and composed (`%C3%84`, `a%CC%88`), and
    from the mark of an authority: `docs:salaries` is `docs://salaries`.
    """
    opened = open_uri(uri).replace("://", ":", 1)
    return unicodedata.normalize("NFC", _WIDE_ESCAPES.sub(_unescape, opened).casefold())


def _unescape(found: "re.Match[str]") -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")


def _is_web_rest(rest: str) -> bool:
    match = _WEB_REST.fullmatch(rest)
    if match is None:
        return False
    host = match["host"]
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1])) == host[1:-1]
        return _NUMBER_HOST.fullmatch(host) is None or str(IPv4Address(host)) == host
    except ValueError:
        return False


def _escapes_text(uri: str) -> bool:
    # Half a character is replaced by some backends and kept by others.
    try:
        return all(bytes.fromhex(run.replace("%", "")).decode("utf-8") for run in _ESCAPES.findall(uri))
    except ValueError:
        return False


def _is_plain(text: str) -> bool:
    """No control, format, private or unassigned character, no line separator; stable under NFKC."""
    if text.isascii():
        return text.isprintable()
    categories = {unicodedata.category(char) for char in text}
    if any(category[0] == "C" or category in ("Zl", "Zp") for category in categories):
        return False
    return unicodedata.is_normalized("NFKC", text)
