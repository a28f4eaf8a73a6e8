"""`agen-authz mask`: a body on standard input, masked on standard output, or why it is masked as it is."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from agen_authz.cli.output import Exit, load_or_exit

if TYPE_CHECKING:
    from agen_authz.authoring.mask import Asked
    from agen_authz.config import Loaded
    from agen_authz.core.masking import Profile, Rule
    from agen_authz.core.masking.style import MaskingKeys

_JSON = "application/json"


Presets = Annotated[
    str, typer.Option("--presets", help="Groups of detectors: pii, phi, gdpr, pci, secrets.", metavar="NAMES")
]
Added = Annotated[list[str], typer.Option("--add", help="One more detector; repeatable.", metavar="DETECTOR")]
Removed = Annotated[
    list[str], typer.Option("--remove", help="A detector to leave out; repeatable.", metavar="DETECTOR")
]
Styles = Annotated[
    list[str],
    typer.Option(
        "--style",
        help="How a detector's values are masked; `default` is for the other detectors. Repeatable.",
        metavar="DETECTOR=STYLE",
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A configuration, for --rule and for its keys.", metavar="FILE")
]
RuleName = Annotated[
    str, typer.Option("--rule", help="A rule of the configuration, also one in shadow.", metavar="NAME")
]
Tenant = Annotated[
    str,
    typer.Option("--tenant", help="Whose values these are: hashes and tokens differ by tenant.", metavar="TENANT"),
]
ContentType = Annotated[str, typer.Option("--content-type", help="The media type of the body.", metavar="TYPE")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show each value that is found, and why, instead of the body.")
]
ShowValues = Annotated[bool, typer.Option("--show-values", help="With --explain: show the values themselves as well.")]
Receipts = Annotated[bool, typer.Option("--receipts", help="Print on standard error what was masked at each place.")]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="Read tokens, one a line, and print the values that they were made of.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def mask(
    presets: Presets = "",
    add: Added = [],  # noqa: B006 typer copies it
    remove: Removed = [],  # noqa: B006 typer copies it
    style: Styles = [],  # noqa: B006 typer copies it
    config: ConfigFile = None,
    *,
    rule: RuleName = "",
    tenant: Tenant = "",
    content_type: ContentType = _JSON,
    explain: Explain = False,
    show_values: ShowValues = False,
    receipts: Receipts = False,
    to_reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Mask a body that is read from standard input, as the sidecar masks a response.

    Example: agen-authz mask --presets pii,pci --explain < response.json

    Exits 1 if the body cannot be inspected to its end: the sidecar blocks such a response. With --reveal: if no key of
    the configuration made a token for this tenant.
    """
    from agen_authz.authoring.mask import Asked, WrongOption, build_profile

    chosen = tuple(name.strip() for name in presets.split(",") if name.strip())
    options = _Options(content_type, tenant, explain, show_values, receipts, as_json)
    try:
        if to_reveal:
            _reveal(config, tenant, as_json=as_json)
        else:
            asked, keys = _choose_rule(config, rule, Asked(chosen, add, remove, style), as_json=as_json)
            _mask(build_profile(asked, keys, tenant), options)
    except WrongOption as exc:
        _refuse(str(exc))


@dataclass(frozen=True, slots=True)
class _Options:
    content_type: str
    tenant: str
    explains: bool
    shows_values: bool
    prints_receipts: bool
    as_json: bool


def _choose_rule(config: Path | None, name: str, asked: "Asked", *, as_json: bool) -> "tuple[Rule, MaskingKeys | None]":
    from agen_authz.authoring.mask import WrongOption, build_rule, find_rule, needs_keys, read_keys

    loaded = None if config is None else load_or_exit(config, secrets=False, as_json=as_json)
    if not name:
        rule = build_rule(asked)
    elif loaded is None:
        raise WrongOption("--rule needs --config")
    elif asked.presets:
        raise WrongOption("--rule has its own presets; leave out --presets")
    else:
        rule = find_rule(loaded, name, asked)
    if config is None or not needs_keys(rule):
        return rule, None
    return rule, read_keys(_load_keys(config, as_json=as_json))


def _load_keys(config: Path, *, as_json: bool) -> "Loaded":
    return load_or_exit(config, secrets=True, as_json=as_json)


def _mask(profile: "Profile", options: _Options) -> None:
    from agen_authz.authoring.mask import advise, as_object, render_receipts, render_text, write_object
    from agen_authz.core.masking import Unmaskable, mask_body
    from agen_authz.core.masking.explain import explain_body

    raw = sys.stdin.buffer.read()
    try:
        masked = mask_body(raw, options.content_type, profile)
        explained = explain_body(raw, options.content_type, profile.plan) if options.explains else []
    except Unmaskable as exc:
        if options.as_json:
            typer.echo(json.dumps({"ok": False, "message": advise(exc)}))
        else:
            typer.echo(advise(exc), err=True)
        raise typer.Exit(Exit.FINDING) from exc
    if options.prints_receipts and masked.receipts:
        typer.echo(render_receipts(masked.receipts), err=True)
    if options.explains and options.as_json:
        typer.echo(json.dumps([as_object(each, show_values=options.shows_values) for each in explained]))
    elif options.explains:
        typer.echo(render_text(explained, show_values=options.shows_values))
    elif options.as_json:
        typer.echo(write_object(masked.body, masked.receipts))
    else:
        typer.echo(masked.body, nl=False)


def _reveal(config: Path | None, tenant: str, *, as_json: bool) -> None:
    from agen_authz.authoring.mask import WrongOption, read_keys, reveal_token

    if config is None:
        raise WrongOption("--reveal needs --config, for its `masking_keys`")
    keys = read_keys(_load_keys(config, as_json=as_json))
    tokens = sys.stdin.read().split()
    values = [reveal_token(token, keys, tenant) for token in tokens]
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        for value in values:
            typer.echo("" if value is None else value)
    missing = sum(value is None for value in values)
    if missing or not tokens:
        typer.echo(f"{missing} of {len(tokens)} tokens: no key of {config} made it for this tenant", err=True)
        raise typer.Exit(Exit.FINDING)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)
