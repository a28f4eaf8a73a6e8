"""The approvers' console: pages for people, and an API for `agen-authz approvals`; both decide by the same rules.

app.py guard.py     routes; what every request must be, and the headers of every answer
sign_in.py          who is there: authorization code with PKCE, sessions (vault.py, session.py, cookie.py)
terminal.py         a terminal signs in through a browser
pages.py            inbox, requests, one request; catalogue.py tools, policies, health
api.py              the same for the command line
desk.py             reads and decides requests, for pages and API alike
view.py spelling.py how things are shown
"""

from agen_authz.console.app import build_console
from agen_authz.console.settings import ConsolePorts, ConsoleRules, ConsoleSettings, PolicyView

__all__ = ["ConsolePorts", "ConsoleRules", "ConsoleSettings", "PolicyView", "build_console"]
