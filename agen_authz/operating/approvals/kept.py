"""What a terminal keeps between commands: a token for each console, in a file that only its user may read."""

import json
import os
import stat
import tempfile
from pathlib import Path

from msgspec import Struct, ValidationError, convert

from agen_authz.core.errors import Malformed
from agen_authz.core.strict_json import parse_json
from agen_authz.operating.approvals.place import ConsoleError

_MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 8
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeptToken(Struct, frozen=True):
    """A session at one console; `name` is whose it is."""

    token: str
    ends_at: float
    name: str


class KeptTokens(Struct, frozen=True):
    """The whole file; `last` is the console that was used last."""

    last: str = ""
    consoles: dict[str, KeptToken] = {}


class TokenFile:
    """Keeps tokens in `approvals.json` of a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "approvals.json"

    def read(self) -> KeptTokens:
        """Read what is kept; nothing if there is no file.

        Raises:
            ConsoleError: others may read the file, or it cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                raw = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return KeptTokens()
        except OSError as exc:
            raise ConsoleError(f"cannot read `{self._path}`: {exc.strerror}") from exc
        if mode & _OTHERS:
            raise ConsoleError(f"others may read `{self._path}`, which holds tokens: remove it and sign in again")
        document = parse_json(raw, _MAX_DEPTH) if len(raw) <= _MAX_BYTES else None
        try:
            return convert(None if isinstance(document, Malformed) else document, KeptTokens)
        except ValidationError as exc:
            raise ConsoleError(f"`{self._path}` is not a file of this command: remove it and sign in again") from exc

    def write(self, console: str, kept: KeptToken) -> None:
        """Keep a token, and that this console was used last.

        Raises:
            ConsoleError: it cannot be written.
        """
        self._replace(KeptTokens(console, self.read().consoles | {console: kept}))

    def forget(self, console: str) -> None:
        """Forget a token; the console stays the one that was used last.

        Raises:
            ConsoleError: it cannot be written.
        """
        kept = self.read()
        self._replace(KeptTokens(kept.last, {name: each for name, each in kept.consoles.items() if name != console}))

    def _replace(self, kept: KeptTokens) -> None:
        consoles = {
            name: {"token": each.token, "ends_at": each.ends_at, "name": each.name}
            for name, each in kept.consoles.items()
        }
        text = json.dumps({"last": kept.last, "consoles": consoles})
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made with 0600: no other user can open it, not even before it has its name.
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".approvals-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self._path)
        except OSError as exc:
            raise ConsoleError(f"cannot write `{self._path}`: {exc.strerror}") from exc
