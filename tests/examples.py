"""How many examples a property is tried with: a multiple of the profile's, so that `make properties` tries more."""

from hypothesis import settings


def examples(times: float) -> settings:
    """Try so many times the examples of the profile that is loaded."""
    return settings(max_examples=round(times * settings().max_examples))
