"""`store`: state that survives a restart."""

from pydantic import Field

from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Section

STORES = ("sqlite:///", "postgresql://")
URL_CURE = "write sqlite:////path or postgresql://user@host/database"


class Store(Section):
    """State that survives a restart."""

    url: Line | None = Field(
        None,
        description="The store's URL, sqlite:////path or postgresql://user@host/database; default:"
        " sqlite:////var/lib/agen/agen.db. A URL with a password is read from `url_file` or `url_env`.",
    )
    url_env: Line | None = Field(None, description="An environment variable that has the url.")
    url_file: Line | None = Field(None, description="A file that has the url.")
    encryption_key_file: Line | None = Field(
        None, description="The file with the key that encrypts arguments and keys digests."
    )


def check_store(findings: Findings, store: Store) -> None:
    """Check where state is kept."""
    if sum(value is not None for value in (store.url, store.url_env, store.url_file)) > 1:
        findings.add(("store",), "the url is given twice", "keep one of `url`, `url_env` and `url_file`")
    if store.url is None:
        return
    if not store.url.startswith(STORES):
        findings.add(("store", "url"), "not the URL of a store", URL_CURE)
    elif "@" in store.url and ":" in store.url.partition("://")[2].rpartition("@")[0]:
        cure = "move the url to a file or variable: `url_file`, `url_env`"
        findings.add(("store", "url"), "has a password in it", cure)
