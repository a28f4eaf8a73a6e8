"""The command line: one module per group of commands, each thin; exit codes 0 ok, 1 finding, 2 misuse."""

from agen_authz.cli.main import main

__all__ = ["main"]
