"""Mistakes in people's words: what was expected, and what to do; never the value, which may be a secret."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from agen_authz.config.reading.salvage import Mistake, above
from agen_authz.config.reading.section import LINE_PATTERN, NAME_PATTERN, WORD_PATTERN
from agen_authz.config.reading.tree import Path, Tree, spell
from agen_authz.core.errors import Problem

_CURE = "correct the value; docs/configuration.md has every key"
_EXPECTED = "expected "
_PATTERNS = {
    NAME_PATTERN: "one line of 1 to 128 characters",
    WORD_PATTERN: "a word of at most 63 characters, a-z 0-9 _ and -",
    LINE_PATTERN: "one line of text that is not empty",
}
_WANTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda _: "text",
    "string_pattern_mismatch": lambda context: _PATTERNS[context["pattern"]],
    "string_too_short": lambda _: "text that is not empty",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
    "int_type": lambda _: "an integer",
    "int_from_float": lambda _: "an integer",
    "bool_type": lambda _: "a boolean, true or false",
    "tuple_type": lambda _: "a list",
    "dict_type": lambda _: "a mapping of keys to values",
    "model_type": lambda _: "a mapping of keys to values",
    "literal_error": lambda context: str(context["expected"]).replace("'", "`"),
    "greater_than_equal": lambda context: f"at least {context['ge']}",
    "less_than_equal": lambda context: f"at most {context['le']}",
}


def explain(mistakes: Iterable[Mistake], tree: Tree, model: type[BaseModel], file: str) -> list[Problem]:
    """Turn mistakes into problems, one for each place; `model` is what the file should have been."""
    problems: list[Problem] = []
    misfits: dict[Path, list[str]] = {}
    keys: set[Path] = set()
    for mistake in mistakes:
        place, line = mistake.place, tree.line_of(mistake.place)
        if mistake.kind == "missing":
            keys.add((*place, mistake.key))
            path = spell((*place, mistake.key))
            problems.append(Problem(file, line, path, "a required key is missing", f"add `{mistake.key}`"))
        elif mistake.kind == "extra_forbidden":
            keys.add(place)
            problems.append(Problem(file, line, spell(place), "unknown key", _suggest(model, place)))
        else:
            misfits.setdefault(place, []).append(_say_what_is_wanted(mistake))
    wrong_inside = above({*misfits, *keys})
    for place, wanted in misfits.items():
        # A list or section that is wrong inside is not a word either: the other arm of a union has nothing to add.
        if place not in wrong_inside:
            message = _EXPECTED + ", or ".join(dict.fromkeys(wanted))
            problems.append(Problem(file, tree.line_of(place), spell(place), message, _CURE))
    return problems


def _say_what_is_wanted(mistake: Mistake) -> str:
    say = _WANTED.get(mistake.kind)
    if say is not None:
        return say(mistake.context)
    return mistake.text.removeprefix("Value error, ").removeprefix(_EXPECTED)


def _suggest(model: type[BaseModel], place: Path) -> str:
    known = sorted(_model_at(model, place[:-1]).model_fields)
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    if near:
        return f"did you mean `{near[0]}`"
    return "remove it; known keys here: " + ", ".join(f"`{key}`" for key in known)


def _model_at(model: type[BaseModel], place: Path) -> type[BaseModel]:
    """Find the model of a place; indexes and the keys of mappings have none themselves."""
    for part in place:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        model = model if field is None else _model_in(field.annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)
