"""Why a condition cannot be evaluated, in a sentence for events and authors; values never get into it.

The library's messages hold keys and values of the call: only what the condition itself names is taken from them.
"""

import re
from collections.abc import Mapping

from agen_authz.core.cel.strict import ANOTHER_TYPE
from agen_authz.core.cel.tree import ConditionTree, spell_path

_NO_KEY = re.compile(r'Key not found in map : "(.*)"\Z', re.DOTALL)
_NO_VARIABLE = re.compile(r'No value with name "([a-z._]+)" found')
_NO_OVERLOAD = re.compile(r"No matching overloads found : ([A-Za-z0-9_<>.@!&|=+*/%?:\[\](), -]{1,80})\Z")
_MAX_SPELT_CHARS, _MAX_SPELT = 80, 3
_SENTENCES: Mapping[str, str] = {
    "Applying SELECT": "what should be an object is not one",
    "divide by zero": "a number is divided by zero",
    "modulus by zero": "a number is divided by zero",
    "overflow": "a number leaves the 64 bits that CEL has",
    "out of range": "a number is out of range",
    "Index error": "a list has no element at this place",
    "onver": "a value cannot be converted to the type that is asked for",
    "budget": "it needs too many steps",
}


def explain_error(report: str, tree: ConditionTree) -> str:
    """Put an error of the library into a sentence."""
    key = _NO_KEY.search(report)
    if key is not None:
        return _explain_key(key[1], tree)
    variable = _NO_VARIABLE.search(report)
    if variable is not None:
        # Arguments are always given; one that holds a NUL is left out.
        why = "holds a NUL" if variable[1] in ("args", "inputs") else "is not there"
        return f"`{variable[1]}` {why}"
    overload = _NO_OVERLOAD.search(report)
    if overload is not None:
        return f"a value is of another type than `{overload[1].strip('<>')}` takes{_spell_reads(tree)}"
    for word, sentence in _SENTENCES.items():
        if word in report:
            return sentence + _spell_reads(tree)
    return "the library cannot evaluate it" + _spell_reads(tree)


def explain_result(tree: ConditionTree) -> str:
    """Say that a result is neither true nor false."""
    return "it says neither true nor false" + _spell_reads(tree)


def _explain_key(key: str, tree: ConditionTree) -> str:
    if key.startswith(ANOTHER_TYPE):
        compared = key.removeprefix(ANOTHER_TYPE)
        what = f"`{_cut(compared)}` is" if compared else "a value is"
        return f"{what} of another type than what it is compared with"
    for path in sorted(tree.paths):
        if key in path[1:]:
            return f"`{_cut(spell_path(path[: path.index(key, 1) + 1]))}` is not there"
    return "a member is not there" + _spell_reads(tree)


def _spell_reads(tree: ConditionTree) -> str:
    spelt = sorted({_cut(spell_path(path)) for path in tree.paths})
    if not spelt:
        return ""
    more = ", ..." if len(spelt) > _MAX_SPELT else ""
    return f" (it reads {', '.join(f'`{each}`' for each in spelt[:_MAX_SPELT])}{more})"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SPELT_CHARS else text[: _MAX_SPELT_CHARS - 3] + "..."
