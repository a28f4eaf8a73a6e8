"""The names that the rest of the file gives rules to use: selectors and conditions are held to them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules may name.

    Args:
        resources: the names of the resources, in the order of the file.
        claims: the keys of `providers[].claims` that some provider maps.
        networks: the names under `networks`.
        has_country: some header names the caller's country.
        pins_tools: definitions of tools are noted, so that they can be approved.
    """

    resources: tuple[str, ...]
    claims: frozenset[str]
    networks: frozenset[str]
    has_country: bool
    pins_tools: bool
