"""The settings of the demo's issuer: where it listens, for which resources it issues tokens, for how long."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from agen_authz.core.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """Settings of the issuer; every resource is the canonical URL that users configure (RFC 8707)."""

    host: str = "127.0.0.1"
    port: int = 10001
    resources: tuple[str, ...] = ()
    token_ttl_s: int = 900
    max_token_ttl_s: int = 86_400
    refresh_ttl_s: int = 28_800
    code_ttl_s: int = 60
    login_ttl_s: int = 600
    key_grace_s: int = 3_600


def check_settings(settings: IssuerSettings) -> None:
    """Refuse settings that no token could be issued with.

    Raises:
        ConfigError: with every problem found.
    """
    problems = [_bad_resource(resource) for resource in settings.resources if not _is_resource(resource)]
    if not settings.resources:
        problems.append(_problem("resources", "no resource is named", "name at least one, `--resource URL`"))
    problems += [
        _problem(name, f"`{getattr(settings, name)}` is not a positive number of seconds", "choose at least 1")
        for name in ("token_ttl_s", "max_token_ttl_s", "refresh_ttl_s", "code_ttl_s", "login_ttl_s")
        if getattr(settings, name) < 1
    ]
    if problems:
        raise ConfigError(tuple(problems))


def _is_resource(url: str) -> bool:
    # RFC 8707 section 2: absolute, without fragment.
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment


def _bad_resource(url: str) -> Problem:
    cure = "write it as the sidecar's `resources[].url`"
    return _problem("resources", f"`{url}` is not an absolute http(s) URL without fragment", cure)


def _problem(path: str, message: str, cure: str) -> Problem:
    return Problem("issuer", None, path, message, cure)
