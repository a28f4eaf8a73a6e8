"""A PostgreSQL URL, read strictly: whatever it leaves out comes from no variable and from no file of a home folder.

1. It names a user, a host and a database. A host that begins with `/` (`?host=`) is the folder of a socket.
2. Connections to another machine are encrypted, and the server's certificate is verified by its name, unless the URL
   asks for less (`sslmode`). None falls back to a connection without TLS.
3. No error shows the URL: it may hold a password.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from agen_authz.core.errors import ConfigError, Problem
from agen_authz.core.http.loopback import is_loopback

_SHAPE = "use postgresql://user@host:5432/database"
_PORT = 5432
_MODES = ("disable", "require", "verify-ca", "verify-full")
_OPTIONS = ("host", "sslmode", "sslrootcert", "sslcert", "sslkey")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """What a PostgreSQL URL says.

    Args:
        options: its query: how connections are encrypted (libpq's names).
    """

    host: str
    port: int
    role: str
    database: str
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name the database without its user and password."""
        return f"{self.host}/{self.database}" if self.is_socket else f"{self.host}:{self.port}/{self.database}"

    @property
    def is_socket(self) -> bool:
        """True if the host is the folder of a socket."""
        return self.host.startswith("/")

    @property
    def mode(self) -> str:
        """How connections are encrypted: as the URL asks, or `verify-full` for any other machine (2)."""
        return self.options.get("sslmode", "disable" if self._is_near() else "verify-full")

    def build_tls(self) -> ssl.SSLContext | None:
        """Build what connections are encrypted with; None if they are not.

        Raises:
            OSError: a file of certificates or keys cannot be read or used.
        """
        if self.mode == "disable":
            return None
        context = ssl.create_default_context(cafile=self.options.get("sslrootcert"))
        context.check_hostname = self.mode == "verify-full"
        if self.mode == "require":
            context.verify_mode = ssl.CERT_NONE
        if "sslcert" in self.options:
            context.load_cert_chain(self.options["sslcert"], self.options.get("sslkey"))
        return context

    def _is_near(self) -> bool:
        return self.is_socket or is_loopback(self.host)


def read_database_url(url: str) -> DatabaseUrl:
    """Read a PostgreSQL URL.

    Raises:
        ConfigError: it is not one, or leaves something out.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        raise _refuse("not the URL of a PostgreSQL database", _SHAPE) from None
    options = _read_options(query)
    host = options.pop("host", None) or host
    role, database = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    _require(parts, host, role, database)
    return DatabaseUrl(host or "", port or _PORT, role, database, unquote(parts.password or ""), options)


def _require(parts: SplitResult, host: str | None, role: str, database: str) -> None:
    if parts.scheme != "postgresql" or parts.fragment:
        raise _refuse("not the URL of a PostgreSQL database", _SHAPE)
    for what, value in (("host", host), ("user", role), ("database", database)):
        if not value:
            raise _refuse(f"the URL names no {what}", _SHAPE)
    if "/" in database or "\x00" in database + role:
        raise _refuse("the URL names no database", _SHAPE)


def _read_options(query: list[tuple[str, str]]) -> dict[str, str]:
    options = dict(query)
    if len(options) != len(query) or not options.keys() <= set(_OPTIONS):
        raise _refuse("the URL has an option that is not known, or one twice", f"use only {', '.join(_OPTIONS)}")
    if options.get("sslmode", "disable") not in _MODES:
        raise _refuse("the URL has an `sslmode` that is not known, or may end without TLS", f"use {', '.join(_MODES)}")
    if "sslkey" in options and "sslcert" not in options:
        raise _refuse("the URL has `sslkey` without `sslcert`", "name both files")
    return options


def _refuse(message: str, cure: str) -> ConfigError:
    return ConfigError((Problem("store", None, "store.url", message, cure),))
