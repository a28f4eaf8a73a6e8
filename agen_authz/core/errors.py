"""Refusals and failures: expected refusals are values, failures of the environment are exceptions."""

from dataclasses import dataclass

from agen_authz.core.reason import Reason


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that do not mean one thing only; `detail` is for the audit event, never for the client."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A caller that is not accepted; `detail` is for the audit event, never for the client."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration: where it is, what it is, and what to do."""

    file: str
    line: int | None
    path: str
    message: str
    cure: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = f"{self.path}: " if self.path else ""
        return f"{place}: {where}{self.message}; {self.cure}"


class ConfigError(Exception):
    """The configuration cannot be used; holds every problem that was found, not only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Unavailable(Exception):
    """Something that the decision needs did not answer; `reason` is what the caller gets."""

    def __init__(self, reason: Reason, name: str) -> None:
        super().__init__(f"{reason}: `{name}`")
        self.reason = reason
        self.name = name
