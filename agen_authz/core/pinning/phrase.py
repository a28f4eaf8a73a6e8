"""What in a text reaches beyond describing: addresses, and instructions to the model.

A reader of a description cannot say what a model will make of it, and neither can we. These lists say which texts a
person must look at before they pass. They are short, in English first, and never a reason to trust what they miss.

Texts are folded before (confusable.py): hidden characters, look-alike letters, case, line ends, entities of HTML and
emphasis of Markdown hide no phrase. Addresses are found so, and compared as they are written.

    address       a URL with any scheme, `www.`, `mailto:`, an e-mail address, a host with a path, query or port or with
                  one of the usual top-level domains, an IPv4 address
    instruction   a sentence that addresses the model rather than describes the tool: `_SENTENCES`, `_MARKS`
"""

import html
import re
from collections.abc import Iterable

from agen_authz.core.pinning.confusable import fold_look

_BETWEEN = re.compile(r"[\s<>\"'`()\[\]{}|,;]+")
# What HTML and Markdown show as one character. Bounded: the library would read a number of any length.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_EMPHASIS = re.compile(r"\*+|(?<= )_{1,3}|_{1,3}(?= )")
# Browsers read these between labels as a full stop (RFC 3490 section 3.1).
_STOPS = str.maketrans("\u3002\uff61\u2024", "...")
_DOMAINS = "com|net|org|io|dev|app|ai|co|xyz|info|biz|top|site|online|link|click|ru|cn|uk|eu|ly|tk|cc|gg|me"
_ADDRESS = re.compile(
    # a scheme, and what needs none
    r":(?://|\\\\)|(?<![\w-])(?:www\.|mailto:|data:|javascript:|file:|localhost[:/])"
    # A host begins where no label, path or host does: so each text is looked at once.
    r"|(?<![\w-])(?<![\w-][./\\])(?:"
    r"(?:[\w-]+\.)+(?:(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?:[/:\\]|[?#]\w)"
    rf"|(?:{_DOMAINS})(?![\w-]|\.\w))"
    r"|\d{1,3}(?:\.\d{1,3}){3}\b)"
)
# What begins with a word, all in one pattern: a boundary of words is searched for once.
_SENTENCES = re.compile(
    r"\b(?:"
    # to set aside what it was asked
    r"(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier|other|all|system|safety)\b"
    # to keep something from the user
    r"|(?:do not|don.?t|never|must not|should not|without)\b.{0,20}"
    r"\b(?:tell|telling|mention|inform|informing|reveal|show|notify|notifying|ask|asking|alert|warn|disclose)\b"
    r"|(?:hide|conceal|keep)\b.{0,30}\b(?:from the user|secret|hidden)\b"
    # to do something else first, after or instead
    r"|(?:before|after|prior to|when|whenever|instead of) (?:you )?"
    r"(?:use|using|call|calling|invoke|invoking|run|running)\b"
    r"|(?:always|first) (?:call|use|run|invoke|read|send|include|pass|append)\b"
    r"|you (?:must|have to|are required to|need to|should always)\b"
    # prompts, and places of secrets
    r"|system prompt\b|id_rsa\b|id_ed25519\b|mcp\.json\b"
    r")"
)
# Marks that chats and prompts set apart with, and places of secrets.
_MARKS = re.compile(
    r"</? ?(?:important|system|instructions?|assistant|user|secret|hidden|admin|prompt|tool_call|function_calls)[ />]"
    r"|\[/?(?:inst|system|important)\]"
    r"|(?:\A|[.!?:]) ?(?:#+ ?)?(?:system|assistant|user|important|instructions?) ?:"
    r"|~/\.|/etc/passwd\b"
)


def fold_text(text: str) -> str:
    """Fold a text to search it for phrases: what it looks like, in one line, with single blanks."""
    return " ".join(fold_look(_ENTITY.sub(_read_entity, text)).split())


def _read_entity(found: "re.Match[str]") -> str:
    return html.unescape(found[0])


def find_addresses(texts: Iterable[str]) -> frozenset[str]:
    """Find every address in some texts, as it is written there: one that only looks like another is another one.

    Linear in the size of the texts.
    """
    words = (word for text in texts for word in _BETWEEN.split(_ENTITY.sub(_read_entity, text)))
    return frozenset(word.strip("*").rstrip(".!?:*") for word in words if _is_address(word))


def _is_address(word: str) -> bool:
    folded = fold_look(word.translate(_STOPS))
    name, mark, host = folded.partition("@")
    if mark and name and "." in host.strip("."):
        return True
    return _ADDRESS.search(folded) is not None


def holds_instruction(text: str) -> bool:
    """True if a text holds an instruction to the model; linear in its size."""
    folded = _EMPHASIS.sub("", fold_text(text))
    return _SENTENCES.search(folded) is not None or _MARKS.search(folded) is not None
