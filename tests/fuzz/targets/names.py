"""Names of tools, prompts and resources: what is accepted, nobody can normalise into something else."""

import unicodedata
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from agen_authz.core.message.target import is_prompt_name, is_resource_uri, is_tool_name
from tests.fuzz.targets.target import Target, expect

_DECODINGS = 3
_DOTS = frozenset({".", ".."})
_WEB = frozenset({"http", "https", "ws", "wss", "ftp"})
Says = Callable[[str], bool]


def check(
    raw: bytes, is_tool: Says = is_tool_name, is_prompt: Says = is_prompt_name, is_uri: Says = is_resource_uri
) -> None:
    """Normalise every accepted name in the ways that backends do."""
    name = raw.decode("utf-8", "replace")
    if is_tool(name):
        expect(name.isascii() and name.isprintable() and " " not in name, "a tool is plain text")
        expect(_DOTS.isdisjoint(name.split("/")), "a tool has no dot segment")
    if is_prompt(name):
        expect(unicodedata.normalize("NFKC", name) == name and name.isprintable(), "a prompt has one form")
    if is_uri(name):
        _expect_one_spelling(name)


def _expect_one_spelling(uri: str) -> None:
    expect(uri.isascii() and uri.isprintable() and "\\" not in uri and " " not in uri, "a URI is plain text")
    expect("#" not in uri, "no fragment, which no server would see")
    scheme, _, rest = uri.partition(":")
    expect(scheme == scheme.lower(), "a scheme in lower case")
    decoded = rest
    for _ in range(_DECODINGS):
        path = decoded.partition("?")[0]
        segments = [segment.partition(";")[0] for segment in path.replace("\\", "/").split("/")]
        expect(_DOTS.isdisjoint(segments), "no dot segment, however often it is decoded")
        again = unquote(decoded, errors="surrogateescape")
        expect(again.count("/") == decoded.count("/"), "no escaped separator, however often it is decoded")
        expect(not any(ord(char) < 32 or ord(char) == 127 for char in again), "no escaped control character")
        decoded = again
    if scheme in _WEB and "[" not in rest and "{" not in rest.partition("/")[2].partition("/")[2].partition("/")[0]:
        parts = urlsplit(uri)
        expect(bool(parts.hostname) and parts.hostname == parts.netloc.partition(":")[0], "a host in lower case")
        expect("@" not in parts.netloc, "no userinfo")


TARGET = Target("names", check, "names", max_bytes=512)
