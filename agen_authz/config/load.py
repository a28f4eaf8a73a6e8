"""From the file to a checked configuration: all mistakes at once, each with file, line and what to do."""

import copy
import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agen_authz.config.check import check_config
from agen_authz.config.loaded import Loaded
from agen_authz.config.model import Config
from agen_authz.config.secret import Secrets, read_secrets
from agen_authz.config.tree import MAX_FILE_BYTES, Tree, read_tree, spell
from agen_authz.core.digest import fingerprint
from agen_authz.core.errors import ConfigError, Problem

_VERSION_CHARS = 12


def load(file: Path, *, secrets: bool = True, environ: Mapping[str, str] | None = None) -> Loaded:
    """Load and check a configuration.

    Args:
        secrets: whether the files and variables of secrets must be there and are read.
        environ: where `*_env` keys are looked up; the process's environment if None.

    Raises:
        ConfigError: with every mistake that was found.
    """
    raw = _read_file(file)
    tree = read_tree(_decode(raw, str(file)), str(file))
    if tree.problems:
        raise ConfigError(tuple(tree.problems))
    config = _validate(tree, str(file))
    problems = check_config(config, tree, str(file))
    held = Secrets()
    if secrets:
        held, missing = read_secrets(config, tree, str(file), os.environ if environ is None else environ)
        problems += missing
    if problems:
        raise ConfigError(tuple(sorted(problems, key=lambda problem: problem.line or 0)))
    return Loaded(config, held, file, tree, fingerprint(raw)[:_VERSION_CHARS])


def _read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        problem = Problem(str(file), None, "", f"cannot be read: {exc.strerror}", "name a file that this user may read")
        raise ConfigError((problem,)) from exc
    if len(raw) > MAX_FILE_BYTES:
        problem = Problem(str(file), None, "", "larger than 4 MiB", "keep rules general: selectors take patterns")
        raise ConfigError((problem,))
    return raw


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ConfigError((Problem(file, line, "", "not UTF-8", "save the file as UTF-8"),)) from exc


def _validate(tree: Tree, file: str) -> Config:
    try:
        # As JSON: there, strict means that a list may become a tuple and nothing else may become anything.
        return Config.model_validate_json(json.dumps(tree.value), strict=True)
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_context=False, include_input=False)
        problems = dict.fromkeys([_explain(error, tree, file) for error in found])
        # What does not depend on the mistaken keys is checked all the same: all errors at once.
        problems |= dict.fromkeys(_check_rest(tree, file, [_written_path(error["loc"], tree) for error in found]))
        raise ConfigError(tuple(sorted(problems, key=lambda problem: problem.line or 0))) from None


def _check_rest(tree: Tree, file: str, mistaken: list[tuple[int | str, ...]]) -> list[Problem]:
    rest = copy.deepcopy(tree.value)
    for path in mistaken:
        _drop_key(rest, path)
    try:
        config = Config.model_validate_json(json.dumps(rest), strict=True)
    except ValidationError:
        # A required key is among the mistakes: nothing can be said of the whole before it is there.
        return []
    touched = {spell(path) for path in mistaken}
    found = check_config(config, tree, file)
    return [problem for problem in found if not any(problem.path.startswith(path) for path in touched)]


def _drop_key(value: Any, path: tuple[int | str, ...]) -> None:
    for part in path[:-1]:
        value = value[part]
    if path and isinstance(value, dict):
        value.pop(path[-1], None)


# pydantic names the arms of a union in the place of an error; the file knows nothing of them.
def _written_path(place: tuple[int | str, ...], tree: Tree) -> tuple[int | str, ...]:
    path: tuple[int | str, ...] = ()
    for part in place:
        if (*path, part) in tree.lines:
            path = (*path, part)
    return path


def _explain(error: ErrorDetails, tree: Tree, file: str) -> Problem:
    path, kind = _written_path(error["loc"], tree), error["type"]
    if kind == "missing":
        key = str(error["loc"][-1])
        whole = (*path, key)
        return Problem(file, tree.line_of(path), spell(whole), "a required key is missing", f"add `{key}`")
    if kind == "extra_forbidden":
        return Problem(file, tree.line_of(path), spell(path), "unknown key", _suggest(error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return Problem(
        file, tree.line_of(path), spell(path), message, "correct the value; docs/configuration.md has every key"
    )


def _suggest(place: tuple[int | str, ...]) -> str:
    known = _keys_beside(place)
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    if near:
        return f"did you mean `{near[0]}`"
    return "remove it; known keys here: " + ", ".join(f"`{key}`" for key in known)


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    for part in place[:-1]:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(part)
            model = _model_in(field.annotation) if field is not None else model
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
