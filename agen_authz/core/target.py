"""Names of tools, prompts and resources in the one spelling that no backend can read as another.

A name that some backend might normalise (dot segments, escapes, control characters) is refused rather than
normalised: what rules are matched against is what the backend receives.
"""

import re
import unicodedata

_TOOL = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_MAX_PROMPT_CHARS = 256
_MAX_URI_CHARS = 2048
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
# RFC 3986 section 2.1 and 6.2.2.2: a percent sign starts two hex digits, and never spells a character that
# needs no escape, a separator, or a control character; nor the same once more escaped.
_BAD_ESCAPE = re.compile(
    r"%(?![0-9A-Fa-f]{2})"
    r"|%(?:25)*(?:2[dDeEfF]|5[cCfF]|7[eEfF]|[01][0-9A-Fa-f]|3[0-9]|4[1-9A-Fa-f]|5[0-9aA]|6[1-9A-Fa-f]|7[0-9aA])"
)
_DOT_SEGMENTS = frozenset({".", ".."})


def is_tool_name(name: str) -> bool:
    """Whether `name` is a tool name as we accept it: 1 to 128 of `A-Za-z0-9_.:/-`, no dot segment."""
    return _TOOL.fullmatch(name) is not None and _DOT_SEGMENTS.isdisjoint(name.split("/"))


def is_prompt_name(name: str) -> bool:
    """Whether `name` is printable, at most 256 characters, and already in Unicode's NFKC form."""
    return 0 < len(name) <= _MAX_PROMPT_CHARS and _is_plain(name)


def is_resource_uri(uri: str) -> bool:
    """Whether `uri` (or URI template) is absolute and spelt in the one way that needs no normalising."""
    if len(uri) > _MAX_URI_CHARS or not _is_plain(uri) or any(char.isspace() for char in uri):
        return False
    scheme = _SCHEME.match(uri)
    if scheme is None or "\\" in uri or _BAD_ESCAPE.search(uri):
        return False
    rest = re.split("[?#]", uri[scheme.end() :], maxsplit=1)[0]
    segments = rest.split("/")
    if rest.startswith("//") and "@" in segments[2]:
        return False
    return _DOT_SEGMENTS.isdisjoint(segment.partition(";")[0] for segment in segments)


def _is_plain(text: str) -> bool:
    """No control, format, private or unassigned character, no line separator; stable under NFKC."""
    if text.isascii():
        return text.isprintable()
    categories = {unicodedata.category(char) for char in text}
    if any(category[0] == "C" or category in ("Zl", "Zp") for category in categories):
        return False
    return unicodedata.is_normalized("NFKC", text)
