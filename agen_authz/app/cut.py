"""A configuration that is cut short: the last line `end: true` shows that a file is whole.

Once a file has had that line, no file without it is loaded: neither on reload, nor at a start with the same store.
"""

from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem
from agen_authz.ports import Store

# Under which name the store remembers it.
NAME = "config.end"


def refuse_cut(loaded: Loaded) -> Problem:
    """Build the problem of a file without its last line."""
    message = "the last line `end: true`, which this file had before, is missing: the file may be cut short"
    cure = "write the file to its end; to give the line up, start with a new store (`store.url`)"
    return Problem(str(loaded.file), None, "end", message, cure)


async def note_end(loaded: Loaded, store: Store) -> None:
    """Remember that the file has its last line; refuse a file without it where one had it before.

    Raises:
        ConfigError: the file has no last line `end: true`, and one had it before.
        Unavailable: the store did not answer.
    """
    if loaded.config.end:
        await store.remember({NAME: "true"})
    elif NAME in await store.recall((NAME,)):
        raise ConfigError((refuse_cut(loaded),))
