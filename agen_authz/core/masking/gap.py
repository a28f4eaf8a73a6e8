"""What may be between a word and the value that it names, on either side: `MRN: 1`, `"mrn" = "1"`, `1 is the MRN`."""

from agen_authz.core.masking.row import At, Check, Label

GAP = (
    r"(?i:[\s\"')\]*]{0,3}(?:(?:no|nr|num|number|numbers|code|codes|block|id|ids|is|was|are|for|of|date|ist|lautet|est"
    r"|es|at|reads|und|and)\b[\s.:#=\"'(\[-]{0,4}|[.:#=/(\[-][\s\"'*]{0,2}){0,4})"
)

# `is`, whose it is, and at most one word more: `is the patient's MRN`, `ist die neue PIN`.
_IS_THE = (
    r"[\"'`]?\s(?i:(?:is|was|ist|war|est|es|\xe8|\xe9)(?:\s(?:the|this|my|your|our|his|her|their|its|an?|die|der|das"
    r"|meine?|ihre?|le|la|mon|ma|votre|son|sa|el|mi|su|il|lo|mio|mia|o|minha|meu))?|as|als|como|comme|come)\s"
    r"(?:[^\W\d_][\w'\u2019-]{0,15}\s)?"
)
_BOUND = r"(?<![\w./@:-])"


def before(words: tuple[str, ...], value: str, score: float, *, check: Check | None = None, reach: int = 40) -> Label:
    """Make a label of a value that is in front of the word that names it, in a sentence.

    Args:
        words: in lower case.
        value: a pattern without groups.
        reach: how many characters in front of the word are looked at: a value, and `is the` after it.
    """
    return Label(words, rf"{_BOUND}({value}){_IS_THE}", score, At.AROUND, reach, check)


def around(words: tuple[str, ...], value: str, score: float, *, check: Check | None = None) -> tuple[Label, Label]:
    """Make the labels of a value that is behind its word or in front of it.

    Args:
        words: in lower case.
        value: a pattern without groups.
    """
    behind = Label(words, rf"{GAP}({value})\b", score, check=check)
    return behind, before(words, value, score, check=check)
