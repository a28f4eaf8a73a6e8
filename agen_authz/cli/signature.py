"""`agen-authz sign` and `agen-authz verify`: what is signed, and why a backend refuses a signature."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from agen_authz.cli.output import Exit, load_or_exit

if TYPE_CHECKING:
    from agen_authz.operating.http_text import WrittenRequest
    from agen_authz.operating.signature import Side

ConfigFile = Annotated[Path | None, typer.Option("--config", help="The gateway's configuration.", metavar="FILE")]
ResourceName = Annotated[
    str, typer.Option("--resource", help="The name of the resource in the configuration.", metavar="NAME")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_NONCE_BYTES = 16


def sign(
    request: Annotated[Path, typer.Argument(help="One HTTP/1.1 request as text.", metavar="REQUEST")],
    config: Annotated[Path, typer.Option("--config", help="The gateway's configuration.", metavar="FILE")],
    resource: ResourceName,
    created: Annotated[
        int | None, typer.Option(help="The time of the signature, in seconds since 1970; default: now.")
    ] = None,
    nonce: Annotated[str | None, typer.Option(help="The nonce of the signature; default: random.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Sign a request as the gateway does; print the signature base and the headers that a backend receives.

    The request's own `agen-*` headers say who calls; one that is missing is signed as empty. Path and query are the
    configured ones of the resource.

    Example: agen-authz sign request.http --config agen.yaml --resource crm
    """
    import secrets

    from agen_authz.operating.signature import Unsignable, gateway_side, render_signed, sign_written

    stamp = int(time.time()) if created is None else created
    try:
        side = gateway_side(load_or_exit(config, secrets=True, as_json=as_json), resource)
        signed = sign_written(
            _read_or_exit(request), side, created=stamp, nonce=nonce or secrets.token_hex(_NONCE_BYTES)
        )
    except Unsignable as exc:
        _misuse(str(exc))
    if as_json:
        typer.echo(json.dumps({"signature_base": signed.signature_base, "headers": dict(signed.headers)}))
        return
    typer.echo(render_signed(signed))


def verify(
    request: Annotated[
        Path, typer.Argument(help="One HTTP/1.1 request as text, as the backend received it.", metavar="REQUEST")
    ],
    resource: ResourceName,
    config: ConfigFile = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A key to verify with, if --config is not given; repeatable.", metavar="ID=FILE"),
    ] = None,
    expected: Annotated[
        Path | None,
        typer.Option("--base", help="The signature base of the gateway, to compare with line by line.", metavar="FILE"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Verify a request as a backend does; print the signature base, the verdict and the components that differ.

    Exits 1 where a backend refuses. For a request that is merely old the command prints that: it is judged as of the
    time at
    which it was made.

    Example: agen-authz verify received.http --resource crm --key crm-2026-11=/etc/agen/keys/crm-2026-11
    """
    from agen_authz.operating.signature import judge_written, render_verification

    side = _side_or_exit(config, resource, key or [], as_json=as_json)
    verification = judge_written(
        _read_or_exit(request),
        side,
        None if expected is None else _read_text_or_exit(expected),
        now=time.time(),
    )
    typer.echo(json.dumps(verification.as_json()) if as_json else render_verification(verification))
    raise typer.Exit(Exit.OK if verification.is_ok else Exit.FINDING)


def _side_or_exit(config: Path | None, name: str, keys: list[str], *, as_json: bool) -> "Side":
    from agen_authz.operating.signature import Side, Unsignable, gateway_side

    if config is None:
        if not keys:
            _misuse("no key was given; give `--config FILE` or `--key ID=FILE`")
        return Side(name, _read_keys(keys))
    try:
        return gateway_side(load_or_exit(config, secrets=True, as_json=as_json), name)
    except Unsignable as exc:
        _misuse(f"{config}: {exc}")


def _read_keys(texts: list[str]) -> dict[str, bytes]:
    from agen_authz.verify import read_key

    keys: dict[str, bytes] = {}
    for text in texts:
        key_id, mark, name = text.partition("=")
        if not mark or not key_id:
            _misuse(f"`{text}` is not a key; write --key ID=FILE")
        try:
            keys[key_id] = read_key(Path(name))
        except (OSError, ValueError) as exc:
            _misuse(f"--key {key_id}: {exc}")
    return keys


def _read_or_exit(file: Path) -> "WrittenRequest":
    from agen_authz.operating.http_text import NoRequest, read_request

    try:
        return read_request(file)
    except (OSError, NoRequest) as exc:
        _misuse(str(exc))


def _read_text_or_exit(file: Path) -> str:
    try:
        return file.read_text("ascii").partition("\n\n")[0]
    except (OSError, ValueError) as exc:
        _misuse(f"{file}: {exc}")


def _misuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)
