"""The approvers' console: pages for people, and an API for `agen-authz approvals`; both decide by the same rules.

app.py guard.py     routes; what every request must be, and the headers of every answer
sign_in.py          who is there: authorization code with PKCE, sessions (vault.py, session.py, cookie.py)
terminal.py         a terminal signs in through a browser
pages.py            inbox, requests, one request; catalogue.py tools, policies, health; watch.py decisions, masking
api.py              the same for the command line
desk.py             reads and decides requests, for pages and API alike
history.py          what was counted over time; decision_view.py decisions as the audit log has them
view.py spelling.py how things are shown; chart.py bars
"""

from agen_authz.console.app import build_console
from agen_authz.console.history import History
from agen_authz.console.settings import ConsolePorts, ConsoleRules, ConsoleSettings, PolicyView

__all__ = ["ConsolePorts", "ConsoleRules", "ConsoleSettings", "History", "PolicyView", "build_console"]
