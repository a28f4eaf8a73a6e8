"""Where a section's keys and checks are: in the file that has its name."""

import importlib
import pkgutil
from typing import Any, get_args

from pydantic import BaseModel

from agen_authz.config import Config, sections

# Written by another key's file, because the two are one section to their reader.
TOGETHER = {"data_protection": "protection", "masking_keys": "protection", "tenants": "policies"}


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model that a key holds, in lists and mappings too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part)) is not None), None)


def test_every_section_is_in_the_file_of_its_name():
    held = {key: model_in(field.annotation) for key, field in Config.model_fields.items()}
    expected = {key: f"{sections.__name__}.{TOGETHER.get(key, key)}" for key, model in held.items() if model}
    assert {key: model.__module__ for key, model in held.items() if model} == expected


def test_every_file_of_a_section_is_of_a_key_of_the_file():
    names = {module.name for module in pkgutil.iter_modules(sections.__path__)}
    assert names - set(Config.model_fields) == {"protection"}


def test_every_check_of_a_section_is_made():
    whole = importlib.import_module("agen_authz.config.model")
    checks = {
        name
        for found in pkgutil.iter_modules(sections.__path__)
        for name in vars(importlib.import_module(f"{sections.__name__}.{found.name}"))
        if name.startswith("check_")
    }
    shared = {"check_conditions", "check_scope", "check_selectors"}
    assert checks - shared == {name for name in vars(whole) if name.startswith("check_")} - {"check_config"}
    assert (checks - shared) | {"_check_end", "_vocabulary_of"} <= set(whole.check_config.__code__.co_names)
