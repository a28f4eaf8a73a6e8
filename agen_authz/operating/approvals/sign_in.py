"""Signs a terminal in through a browser: a person confirms there that this terminal may act for them.

1. The terminal draws a secret, and opens a page with the digest of it and of the console's address. Both show the
   same number.
2. The page sends a code to a port of this machine's loopback (RFC 8252 section 7.3), or shows it to be typed in.
3. The terminal exchanges code and secret for a token. The code is useless to others, and secret and code are useless
   at another console. Only the answer with our `state` is taken.
"""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from io import BufferedIOBase
from socketserver import StreamRequestHandler, TCPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct

from agen_authz.core.approval.pairing import bind_challenge, match_number
from agen_authz.core.pinning.hidden import spell
from agen_authz.operating.approvals.client import ConsoleClient
from agen_authz.operating.approvals.kept import KeptToken
from agen_authz.operating.approvals.place import ConsoleError

WAIT_S = 300.0
_STEP_S, _READ_S = 1.0, 5.0
_SECRET_BYTES = 32
_MAX_LINE, _MAX_LINES = 16 * 1024, 100
_PAGE = '<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>Agen</title><p>{text}</p>'
_DONE = "The terminal is signed in. You may close this page."
_WRONG = "This is not the answer that the terminal waits for."


class Pairing(Struct, frozen=True):
    """One try to sign in at one console."""

    console: str
    verifier: str
    state: str

    @property
    def _challenge(self) -> str:
        return bind_challenge(self.verifier, self.console)

    @property
    def number(self) -> str:
        """What both sides show."""
        return match_number(self._challenge)

    def link(self, port: int | None) -> str:
        """Write the address of the page; without a port, it shows the code."""
        asked = {
            "challenge": self._challenge,
            "state": self.state,
            "port": "" if port is None else str(port),
        }
        return f"{self.console}/terminal?{urlencode(asked)}"


def draw_pairing(console: str, draw: Callable[[int], bytes]) -> Pairing:
    """Begin; `draw` gives random bytes."""
    first, second = (urlsafe_b64encode(draw(_SECRET_BYTES)).rstrip(b"=").decode("ascii") for _ in range(2))
    return Pairing(console, first, second)


class CodeReceiver:
    """Waits on a free port of loopback for the code."""

    def __init__(self, state: str) -> None:
        self.code = ""
        receiver = self

        class Receive(StreamRequestHandler):
            timeout = _READ_S

            def handle(self) -> None:
                """Answer one request; what is not HTTP, or too long, is not answered."""
                try:
                    place, host = _read_head(self.rfile)
                    self.wfile.write(_answer(is_ours=receiver.take(place, host, state)))
                except (OSError, ValueError):
                    return

        self._server = TCPServer(("127.0.0.1", 0), Receive)
        self._server.timeout = _STEP_S

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def take(self, place: str, host: str, state: str) -> bool:
        """Take the code if this is the answer that is waited for."""
        parts = urlsplit(place)
        query = dict(parse_qsl(parts.query))
        sent = query.get("state", "").encode("utf-8", "replace")
        is_ours = host == f"127.0.0.1:{self.port}" and hmac.compare_digest(sent, state.encode("ascii"))
        if parts.path != "/signed-in" or not is_ours or not query.get("code"):
            return False
        self.code = query["code"]
        return True

    def wait(self, seconds: float) -> str:
        """Wait for the code; empty if none came in time."""
        until = time.monotonic() + seconds
        with self._server:
            while not self.code and time.monotonic() < until:
                self._server.handle_request()
        return self.code


def _read_head(stream: BufferedIOBase) -> tuple[str, str]:
    """Read the target and the `Host` of a GET request.

    Raises:
        ValueError: it is not one.
    """
    lines: list[str] = []
    while (line := stream.readline(_MAX_LINE).decode("ascii")) not in ("\r\n", "\n"):
        if not line.endswith("\n") or len(lines) > _MAX_LINES:
            raise ValueError("not an HTTP request")
        lines.append(line.strip())
    method, place, _ = lines[0].split(" ") if lines else ("", "", "")
    if method != "GET":
        raise ValueError("not a GET request")
    fields = [each.partition(":") for each in lines[1:]]
    hosts = [value.strip() for name, _, value in fields if name.lower() == "host"]
    return place, hosts[0] if len(hosts) == 1 else ""


def _answer(*, is_ours: bool) -> bytes:
    body = _PAGE.format(text=_DONE if is_ours else _WRONG).encode("ascii")
    head = [
        "HTTP/1.1 200 OK" if is_ours else "HTTP/1.1 400 Bad Request",
        "content-type: text/html; charset=utf-8",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
        "connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


def exchange(client: ConsoleClient, pairing: Pairing, code: str) -> KeptToken:
    """Exchange a code for a token.

    Raises:
        ConsoleError: the console refuses it, or gave no usable answer.
    """
    answer = client.ask("POST", "/terminal", body={"code": code, "verifier": pairing.verifier})
    if not answer.is_good:
        raise ConsoleError(f"not signed in: {spell(answer.message)}")
    token, ends_at, name = (answer.document.get(each) for each in ("token", "ends_at", "name"))
    if not isinstance(token, str) or not isinstance(ends_at, int | float) or not isinstance(name, str):
        raise ConsoleError(f"what is at {client.url} is not a console of agen-authz")
    return KeptToken(token, float(ends_at), name)
