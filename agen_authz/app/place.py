"""Where the store is: the URL that the configuration, a file or a variable has."""

from pathlib import Path

from agen_authz.config import Config, Loaded, read_store_url

DEFAULT_FOLDER = Path("/var/lib/agen")
_DEFAULT_URL = f"sqlite:///{DEFAULT_FOLDER}/agen.db"


def find_url(loaded: Loaded) -> str:
    """Find the URL of a configuration whose secrets were read."""
    return loaded.secrets.store_url or loaded.config.store.url or _DEFAULT_URL


def read_url(config: Config) -> str:
    """Read the URL, and no other secret.

    Raises:
        ConfigError: the file or the variable that should have it does not.
    """
    return read_store_url(config) or _DEFAULT_URL


def is_default(config: Config) -> bool:
    """True if the configuration does not say where the store is."""
    store = config.store
    return store.url is None and store.url_env is None and store.url_file is None
