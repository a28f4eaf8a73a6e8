"""The command line; it needs more packages than `pip install agen-authz` brings to a backend."""

import sys

_MISUSE = 2


def main() -> None:
    """Run the command line, or say what to install."""
    try:
        from agen_authz.cli.main import main as run
    except ModuleNotFoundError as exc:
        if (exc.name or "").startswith("agen_authz"):
            raise
        print(f"agen-authz: `{exc.name}` is not installed; install `agen-authz[server]`", file=sys.stderr)
        sys.exit(_MISUSE)
    run()
