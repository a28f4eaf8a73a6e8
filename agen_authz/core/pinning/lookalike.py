"""Names that a person or a model takes for another tool's (UTS 39; and what looks alike within ASCII).

Names are compared by their skeleton: what they look like (confusable.py), in lower case, without `_ - . / :` and
blanks, with `1 i l |` as one letter, `0 o` as one, `rn` as `m` and `vv` as `w`. Two names with one skeleton are:

    look_alike   written differently: `get_customer` and `get-customer`, `list_bil1s`, a Cyrillic letter
    twin         the same name, on two servers: the older trick, and often innocent

A title is only a look-alike if it deceives: `Get customer` for `get_customer` is what titles are for.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.model import Json
from agen_authz.core.pinning.confusable import fold_look
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.hidden import spell

_MAX_CHARS = 256
_SEPARATORS = str.maketrans("", "", "_-./: \t\n\r")
_ONE_LETTER = str.maketrans("1i|0", "lllo")
_MAX_FOUND = 5


class LookAlike(Struct, frozen=True):
    """One name that looks like another tool's: what was written, and which tool it looks like."""

    written: str
    server: str
    tool: str
    is_twin: bool


class Named(Struct, frozen=True):
    """A tool that others may be taken for; `titles` are all that it shows besides its name."""

    server: str
    name: str
    titles: tuple[str, ...] = ()


NameIndex: TypeAlias = Mapping[str, Sequence[tuple[Named, str]]]
"""Tools, and the name or title of each, by skeleton."""


def skeleton_of(text: str) -> str:
    """Fold a name or title to what it can be mistaken for; equal skeletons look alike."""
    folded = fold_look(text[:_MAX_CHARS]).translate(_SEPARATORS).translate(_ONE_LETTER)
    return folded.replace("rn", "m").replace("vv", "w")


def _drop_style(text: str) -> str:
    return text[:_MAX_CHARS].lower().translate(_SEPARATORS)


def list_titles(definition: Json) -> tuple[str, ...]:
    """List what a definition shows in place of its name: `title`, and `annotations.title` of older servers."""
    if not isinstance(definition, dict):
        return ()
    hints = definition.get("annotations")
    titles = (definition.get("title"), hints.get("title") if isinstance(hints, dict) else None)
    return tuple(dict.fromkeys(title for title in titles if isinstance(title, str) and title))


def index_names(tools: Iterable[Named]) -> NameIndex:
    """Index tools by the skeletons of their names and titles."""
    index: dict[str, list[tuple[Named, str]]] = {}
    for tool in tools:
        for text in (tool.name, *tool.titles):
            index.setdefault(skeleton_of(text), []).append((tool, text))
    return index


def find_lookalikes(server: str, definition: Definition, index: NameIndex) -> tuple[LookAlike, ...]:
    """Find the tools that a definition's name or title looks like, five at most; itself is not among them."""
    name, found = definition.get("name"), dict[tuple[str, str], LookAlike]()
    if not isinstance(name, str):
        return ()
    for text in (name, *list_titles(definition)):
        for other, shown in index.get(skeleton_of(text), ()):
            key = (other.server, other.name)
            if key == (server, name) or key in found or not _deceives(text, shown, is_name=text == name):
                continue
            written, tool = spell(text[:_MAX_CHARS]), spell(other.name[:_MAX_CHARS])
            found[key] = LookAlike(written, other.server, tool, name == other.name)
            if len(found) == _MAX_FOUND:
                # A server may list thousands that look like one another.
                return tuple(found.values())
    return tuple(found.values())


def _deceives(text: str, shown: str, *, is_name: bool) -> bool:
    # Titles that are equal but for style say the same thing of two tools.
    return is_name or _drop_style(text) != _drop_style(shown)
