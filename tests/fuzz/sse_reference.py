"""Server-sent events as the standard tells clients to read them, letter by letter (WHATWG HTML, section 9.2.6)."""

import re
from dataclasses import dataclass, field

_LINE_END = re.compile("\r\n|\n|\r")


@dataclass
class Client:
    """What a client has seen: events (their type, data, the last id at that time), and the waiting time at the end."""

    seen: list[tuple[str, str, str]] = field(default_factory=list)
    retry: str = ""
    last_id: str = ""


def read_as_client(raw: bytes) -> Client:
    """Read a whole stream."""
    client, data, name, last_id = Client(), "", "", ""
    # The last piece is what no line end ended: clients discard it.
    for line in _LINE_END.split(raw.decode("utf-8", "replace").removeprefix("\ufeff"))[:-1]:
        if not line:
            client.last_id = last_id
            if data:
                client.seen.append((name or "message", data.removesuffix("\n"), last_id))
            data = name = ""
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data += value + "\n"
        elif key == "id" and "\0" not in value:
            last_id = value
        elif key == "retry" and value.isascii() and value.isdigit():
            client.retry = value
    return client
