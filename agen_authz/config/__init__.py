"""The configuration file: parsed whole, checked whole, frozen."""

from agen_authz.config.built import unbuilt, weakened
from agen_authz.config.load import find_problems, load, load_again, read_version
from agen_authz.config.loaded import Loaded
from agen_authz.config.model import Config, has_console
from agen_authz.config.proxy import read_proxies
from agen_authz.config.schema import schema
from agen_authz.config.secret import Secrets, list_secret_files, read_store_url
from agen_authz.config.sections.server import list_proc_addresses, number_addresses

__all__ = [
    "Config",
    "Loaded",
    "Secrets",
    "find_problems",
    "has_console",
    "list_proc_addresses",
    "list_secret_files",
    "load",
    "load_again",
    "number_addresses",
    "read_proxies",
    "read_store_url",
    "read_version",
    "schema",
    "unbuilt",
    "weakened",
]
