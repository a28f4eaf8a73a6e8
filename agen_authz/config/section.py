"""What every section of the configuration shares: frozen, strict, no unknown key."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints

Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
# What stands in metrics, selectors and headers: a plain word.
Word: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Words: TypeAlias = tuple[Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,512}$")], ...]
Selectors: TypeAlias = tuple[str, ...] | None


class Section(BaseModel):
    """A part of the configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
