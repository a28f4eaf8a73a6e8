"""The two pages of the issuer: log in, and what went wrong. No script, nothing from elsewhere, all values escaped."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from html import escape

from agen_authz.demo.issuer.authorize import Waiting
from agen_authz.demo.issuer.people import MFA_ACR, PEOPLE, Person
from agen_authz.demo.issuer.refusal import Refused

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 32rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
fieldset { border: 1px solid GrayText; border-radius: .5rem; margin: 0 0 1rem; }
label { display: block; padding: .35rem 0; }
small { display: block; margin-left: 1.6rem; }
button { font: inherit; padding: .4rem 1.2rem; margin-right: .5rem; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
"""


@dataclass(frozen=True, slots=True)
class Page:
    """HTML and the headers that keep it harmless."""

    html: str
    status: int

    @property
    def headers(self) -> dict[str, str]:
        """Allow this page its own style and nothing else."""
        digest = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
        # Chrome applies form-action to the redirect after the form too, and that goes to any loopback port.
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self' http:; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        return {
            "content-security-policy": policy,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }


def render_login(waiting: Waiting) -> Page:
    """Show who asks for what, and let one person of the demo log in."""
    ask = waiting.ask
    people = "\n".join(_render_person(person, is_first) for is_first, person in _people())
    wish = "<p><strong>The client asks for a second factor.</strong></p>" if ask.wants_second_factor else ""
    return _render(
        "Log in to the agen-authz demo",
        f"""<p>Everybody here is invented, and no password is needed.</p>
<dl>
<dt>Client</dt><dd>{escape(ask.client.name)}</dd>
<dt>Resource</dt><dd>{escape(ask.resource)}</dd>
<dt>Scopes</dt><dd>{escape(" ".join(ask.scopes))}</dd>
<dt>Goes back to</dt><dd>{escape(ask.redirect_uri)}</dd>
</dl>
{wish}
<form method="post" action="/login">
<input type="hidden" name="login" value="{escape(waiting.login_id)}">
<fieldset>
<legend>Who are you?</legend>
{people}
</fieldset>
<fieldset>
<legend>How do you log in?</legend>
<label><input type="checkbox" name="second_factor" value="yes"> With a second factor ({MFA_ACR})</label>
</fieldset>
<button type="submit" name="answer" value="log-in">Log in</button>
<button type="submit" name="answer" value="decline">Decline</button>
</form>""",
        200,
    )


def render_refusal(refused: Refused) -> Page:
    """Tell a person why there is nothing to log in to."""
    text = f'<p role="alert">{escape(refused.description)}.</p>\n<p>Error: <code>{escape(refused.error)}</code></p>'
    return _render("This login cannot continue", text, refused.status)


def _people() -> list[tuple[bool, Person]]:
    return [(position == 0, person) for position, person in enumerate(PEOPLE.values())]


def _render_person(person: Person, is_first: bool) -> str:
    checked = " checked" if is_first else ""
    return (
        f'<label><input type="radio" name="person" value="{escape(person.role)}" required{checked}> '
        f"{escape(person.name)}, {escape(person.title)}\n"
        f"<small>role {escape(person.role)}, {escape(person.email)}</small></label>"
    )


def _render(title: str, body: str, status: int) -> Page:
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""
    return Page(html, status)
