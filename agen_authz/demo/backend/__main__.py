"""`python -m agen_authz.demo.backend`: one or both MCP servers in a separate process."""

import argparse
import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from starlette.types import ASGIApp

from agen_authz.core.errors import ConfigError
from agen_authz.demo.backend.app import MCP_PATH, SERVERS, build_app
from agen_authz.demo.listen import Site, authority_of, bind_loopback, run_sites
from agen_authz.verify import BackendVerifier, KeyDirectory


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; 2 when the servers cannot start."""
    options = _build_parser().parse_args(arguments)
    ports = {name: getattr(options, name) for name in SERVERS if getattr(options, name) is not None}
    if not ports:
        print("backend: no server is named; give `--crm PORT`, `--billing PORT` or both", file=sys.stderr)
        return 2
    # Before the SDK does so, which would draw boxes around every line.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with ExitStack() as stack:
            sockets = {name: stack.enter_context(bind_loopback(options.host, port)) for name, port in ports.items()}
            run_sites(_build_sites(sockets, options), _announce(sockets))
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    except (OSError, ValueError) as exc:
        print(f"backend: {exc}", file=sys.stderr)
        return 2
    return 0


def _build_sites(sockets: dict[str, socket.socket], options: argparse.Namespace) -> list[Site]:
    return [Site(_build_app(name, options), listener) for name, listener in sockets.items()]


def _build_app(name: str, options: argparse.Namespace) -> ASGIApp:
    keys = getattr(options, f"{name}_keys")
    verifier = None if keys is None else BackendVerifier(KeyDirectory(keys), resource=name)
    server = SERVERS[name]()
    server.descriptions = getattr(options, f"{name}_descriptions")
    return build_app(server, verifier=verifier, is_recording=options.record)


def _announce(sockets: dict[str, socket.socket]) -> str:
    places = [f"{name}=http://{authority_of(listener)}{MCP_PATH}" for name, listener in sockets.items()]
    return f"backend listening on {' '.join(places)}"


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m agen_authz.demo.backend",
        description="The demo's MCP servers: loopback only; with keys, only what the gateway signed gets an answer.",
        epilog="Example: python -m agen_authz.demo.backend --crm 10002 --billing 10003",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    for name in SERVERS:
        parser.add_argument(f"--{name}", type=int, metavar="PORT", help=f"serve {name} here; 0 takes a free port")
        parser.add_argument(f"--{name}-keys", metavar="DIR", help=f"verify {name}'s requests with the keys in DIR")
        parser.add_argument(
            f"--{name}-descriptions",
            metavar="DIR",
            type=Path,
            help=f"describe {name}'s tool NAME with what NAME.txt in DIR holds, as long as it is there",
        )
    parser.add_argument(
        "--record", action="store_true", help="tell at GET /demo/received what arrived, credentials included"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
