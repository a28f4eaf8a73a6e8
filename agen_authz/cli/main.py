"""The command `agen-authz`."""

import typer

from agen_authz.cli import approvals, config, demo, envoy, mask, policy, serve, signature, tools

app = typer.Typer(
    name="agen-authz",
    help="A sidecar for Envoy that decides every call to an MCP server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serve.serve)
app.command("check-config")(config.check_config)
app.command("config-schema")(config.config_schema)
app.command("envoy-config")(envoy.envoy_config)
app.command("mask")(mask.mask)
app.command("migrate")(serve.migrate)
app.command("sign")(signature.sign)
app.command("verify")(signature.verify)
app.add_typer(approvals.app, name="approvals")
app.add_typer(demo.app, name="demo")
app.add_typer(policy.app, name="policy")
app.add_typer(tools.app, name="tools")


def main() -> None:
    """Run the command line."""
    app()
