"""Pages rendered: everything is escaped, and a name that a page needs and was not given is an error."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from agen_authz.console.session import ConsoleSession
from agen_authz.console.spelling import spell_clock, spell_duration, spell_iso, spell_moment, spell_text, split_code
from agen_authz.core.memory import remember
from agen_authz.core.pinning.hidden import spell

STATIC: Mapping[str, str] = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""What is in `static/`, and its type."""


class Renderer:
    """Renders templates."""

    def __init__(self, prefix: str) -> None:
        self.static = {name: (files(__package__) / "static" / name).read_bytes() for name in STATIC}
        self._jinja = Environment(
            loader=PackageLoader("agen_authz.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # A page names what it was made with: a newer program has newer names.
        marks = {name: hashlib.sha256(raw).hexdigest()[:12] for name, raw in self.static.items()}
        self._jinja.globals.update(
            link=lambda place: prefix + place,
            static=lambda name: f"{prefix}/static/{name}?{marks[name]}",
            moment=spell_moment,
            iso=spell_iso,
            duration=spell_duration,
            clock=spell_clock,
            split_code=split_code,
            plain=spell,
            spelt=spell_text,
        )

    def render(self, name: str, values: Mapping[str, Any], *, session: ConsoleSession | None, now: float) -> str:
        """Render a template."""
        return self._jinja.get_template(name).render(**values, session=session, now=now)


@remember(8)
def get_renderer(prefix: str) -> Renderer:
    """Return what renders pages under this prefix: after a reload no template is compiled again."""
    return Renderer(prefix)
