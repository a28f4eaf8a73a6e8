"""What every section of the configuration shares: frozen, strict, no unknown key; and its kinds of text."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints

NAME_PATTERN = r"^[^\x00-\x1f\x7f]{1,128}$"
WORD_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
LINE_PATTERN = r"^[^\x00-\x1f\x7f]{1,2048}$"

# What people read: rules, policies, steps.
Name: TypeAlias = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
# What metrics, selectors and headers contain: a plain word.
Word: TypeAlias = Annotated[str, StringConstraints(pattern=WORD_PATTERN)]
# Addresses, files, claims, roles: one line that is not empty.
Line: TypeAlias = Annotated[str, StringConstraints(pattern=LINE_PATTERN)]
# Conditions may be written over several lines.
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=16_384)]
Lines: TypeAlias = tuple[Line, ...]
Selectors: TypeAlias = tuple[Line, ...] | None


class Section(BaseModel):
    """A part of the configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
