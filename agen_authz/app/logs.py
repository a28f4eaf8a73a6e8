"""The sidecar's own log: one JSON object a line on standard error, never on the audit stream."""

import json
import logging
from datetime import UTC, datetime

_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}


class JsonFormatter(logging.Formatter):
    """Renders a record as one line; what was passed as `extra` is next to the message.

    Args:
        process: which of the sidecar's processes writes it.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: str(value) for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up_logs() -> None:
    """Send every log record to standard error as JSON."""
    stream = logging.StreamHandler()
    stream.setFormatter(JsonFormatter("supervisor"))
    logging.basicConfig(level=logging.INFO, handlers=[stream], force=True)
    # Successes in a library are noise; failures are logged where they matter.
    for name in ("alembic", "httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


def name_process(name: str) -> None:
    """Write from now on which process a line is from."""
    for each in logging.getLogger().handlers:
        each.setFormatter(JsonFormatter(name))
