"""Plain values with names: what must not be mixed up does not type-check."""

from typing import NewType, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


MessageId: TypeAlias = str | int


RawToken = NewType("RawToken", str)


Issuer = NewType("Issuer", str)


Subject = NewType("Subject", str)


Digest = NewType("Digest", str)


SessionId = NewType("SessionId", str)
