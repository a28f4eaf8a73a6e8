"""Names that another reader takes for the same name: how a name is folded for comparison, for each kind of reader.

We read names exactly. A backend, a framework or a database may read them loosely: then a name that was looked at and
one that was passed over are the same to it. So each kind of name is folded as its loosest known reader does it, and
names that are equal once folded are twins. Folding only ever lets less through: a twin is refused, is matched by one
more policy, or belongs to the owner that it has already. What is forwarded is never the folded name.

    kind of name            what reads it loosely                                  what its fold looks away from
    member of arguments     mappers to members of objects: protobuf takes          case, width, every mark and blank
                            `userId` for `user_id`, Go's json/v2 `user-id`
    key of MCP              the same mappers, for names in printable ASCII only    case, `_`, `-`, blanks around it
    parameter of a header   `mcp-param-user-id` repeats `userId`                   case, `_`, `-`
    selector of a policy    servers that find their tools whatever the case is     case
    URI of a resource       what opens it: `fold_uri` in core/message/target.py    see there
    header                  CGI and what came after it: `-` becomes `_`            case, `_` for `-`
"""

import re
from collections.abc import Collection

from agen_authz.core.memory import remember

_MAX_REMEMBERED_CHARS = 64
_MARKS = re.compile(r"[\W_]+")
_WIDE = re.compile("[\uff10-\uff5a]")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B)}
# Control characters as well: some readers look away from all but letters and digits.
_LETTERS_ONLY = dict.fromkeys(code for code in range(128) if not chr(code).isalnum())
_LETTERS_AND_LINES = {code: deleted for code, deleted in _LETTERS_ONLY.items() if code != ord("\n")}


def fold_member(key: str) -> str:
    """Fold a key of arguments."""
    # Callers choose keys: short ones are remembered.
    return _remember_member(key) if len(key) <= _MAX_REMEMBERED_CHARS else _fold_member(key)


def _fold_member(key: str) -> str:
    # Not Unicode's normal forms: to put a run of marks in order takes quadratic time, and callers choose the key.
    if key.isascii():
        return key.lower().translate(_LETTERS_ONLY) or key
    folded = _MARKS.sub("", key.casefold())
    return (folded.translate(_NARROW) if _WIDE.search(folded) else folded) or key


_remember_member = remember(1024)(_fold_member)


def fold_members(keys: Collection[str]) -> list[str]:
    """Fold many keys of arguments, all at once if they are plain."""
    joined = "\n".join(keys)
    if not joined.isascii() or joined.count("\n") != len(keys) - 1:
        return [_fold_member(key) for key in keys]
    folded = joined.lower().translate(_LETTERS_AND_LINES).split("\n")
    return [short or key for short, key in zip(folded, keys, strict=True)]


def fold_message_keys(keys: Collection[str]) -> list[str]:
    """Fold keys of MCP, none of which has a line end: all at once, because callers choose how many there are."""
    return [folded.strip() for folded in fold_parameter("\n".join(keys)).split("\n")]


def fold_parameter(name: str) -> str:
    """Fold the name of a parameter, as a header or an argument has it: snake, kebab and camel case are one."""
    return name.lower().replace("_", "").replace("-", "")


def fold_selector(text: str) -> str:
    """Fold a selector of a policy, or the name that it is matched with."""
    return text.casefold()


def spell_header(name: str) -> str:
    """Spell a header's name as a framework does that reads it in the form of CGI."""
    return name.lower().replace("_", "-")
