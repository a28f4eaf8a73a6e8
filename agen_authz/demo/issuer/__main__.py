"""`python -m agen_authz.demo.issuer`: the issuer as a separate process."""

import argparse
import sys
import time
from collections.abc import Sequence

from agen_authz.core.errors import ConfigError
from agen_authz.demo.issuer.app import build_app
from agen_authz.demo.issuer.settings import IssuerSettings
from agen_authz.demo.issuer.state import build_issuer, real_sources
from agen_authz.demo.listen import Site, authority_of, bind_loopback, run_sites


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; 2 when the issuer cannot start."""
    settings = _read_settings(arguments)
    try:
        listener = bind_loopback(settings.host, settings.port)
        with listener:
            issuer = build_issuer(settings, authority_of(listener), real_sources(time.time))
            run_sites([Site(build_app(issuer), listener)], f"issuer listening on {issuer.url}")
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def _read_settings(arguments: Sequence[str]) -> IssuerSettings:
    default = IssuerSettings()
    parser = argparse.ArgumentParser(
        prog="python -m agen_authz.demo.issuer",
        description="An OpenID Connect issuer for the demo: loopback only, invented people, public secrets.",
        epilog="Example: python -m agen_authz.demo.issuer --resource http://127.0.0.1:10000/crm/mcp",
    )
    parser.add_argument("--host", default=default.host, help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=default.port, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--resource", dest="resources", action="append", metavar="URL", help="what tokens are for; may be repeated"
    )
    parser.add_argument("--token-ttl", type=int, default=default.token_ttl_s, metavar="SECONDS")
    parser.add_argument("--key-grace", type=int, default=default.key_grace_s, metavar="SECONDS")
    options = parser.parse_args(arguments)
    return IssuerSettings(
        host=options.host,
        port=options.port,
        resources=tuple(options.resources or ()),
        token_ttl_s=options.token_ttl,
        key_grace_s=options.key_grace,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
