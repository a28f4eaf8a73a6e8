"""Files of Apprise URLs: one URL a line, and lines that begin with `#` say what they like.

A URL holds passwords and tokens, so a mistake is named by its file and line, and nothing of the URL is shown.
"""

from dataclasses import dataclass, field

from agen_authz.adapters.notify.send import is_known, is_mail
from agen_authz.core.errors import ConfigError, Problem

_MAX_CHANNELS = 50


@dataclass(frozen=True, slots=True)
class Destination:
    """One place that a flow's messages go to; nothing of its URL is in its repr."""

    file: str
    line: int
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server that people's own addresses are written to by; nothing of its URL is in its repr."""

    file: str
    line: int
    url: str = field(repr=False)


def read_channels(file: str, content: bytes) -> tuple[Destination, ...]:
    """Read `notify.urls_file` of a flow.

    Raises:
        ConfigError: it holds no URL, too many, or some that no service takes; every mistake at once.
    """
    lines = _list_lines(file, content)
    cure = "write one Apprise URL a line, such as slack://TOKEN/#channel or mailtos://NAME:PASSWORD@HOST?to=ADDRESS"
    problems = [
        Problem(file, line, "", "no service of Apprise takes this URL", cure)
        for line, url in lines
        if not is_known(url)
    ]
    if not lines:
        problems.append(Problem(file, None, "", "holds no URL", cure))
    if len(lines) > _MAX_CHANNELS:
        problems.append(Problem(file, None, "", f"more than {_MAX_CHANNELS} URLs", "use a list address or a channel"))
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(Destination(file, line, url) for line, url in lines)


def read_mail(file: str, content: bytes) -> Mail:
    """Read `notifications.email_url_file`.

    Raises:
        ConfigError: it does not hold exactly one URL of a mail server.
    """
    lines = _list_lines(file, content)
    cure = "write one URL such as mailtos://NAME:PASSWORD@HOST?from=ADDRESS"
    if len(lines) != 1:
        count = "no URL" if not lines else f"{len(lines)} URLs"
        raise ConfigError((Problem(file, None, "", f"holds {count} instead of one", cure),))
    ((line, url),) = lines
    if not is_mail(url):
        message = "not a mail server's URL: Apprise takes it for something else, or not at all"
        raise ConfigError((Problem(file, line, "", message, cure),))
    return Mail(file, line, url)


def _list_lines(file: str, content: bytes) -> list[tuple[int, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError((Problem(file, None, "", "not text in UTF-8", "write it again"),)) from exc
    # Not `splitlines`: a line ends where an editor shows its end.
    stripped = [line.strip() for line in text.replace("\r\n", "\n").split("\n")]
    return [(at, line) for at, line in enumerate(stripped, 1) if line and not line.startswith("#")]
