"""The state of one provider's keys: the keys, the open questions, and whether the provider may be asked again."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeAlias

from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.core.identity.jwk import KeySet

# A `kid` and an algorithm.
Name: TypeAlias = tuple[str, str]

# Strangers choose what is asked about: so many of them are remembered, each by its hash, which is keyed.
_MAX_NAMES = 1000
# Unknown keys make us ask this often at once; then once in a cooldown.
_BURST = 4


@dataclass(slots=True)
class KeyShelf:
    """One provider's keys; the set is swapped, never changed in place. Times are seconds of `Clock.elapsed`."""

    settings: ProviderKeys
    keys: KeySet = field(default_factory=KeySet)
    fetched_at: float | None = None
    tried_at: float | None = None
    had_keys: bool = False
    failures: int = 0
    faults: int = 0
    why: str = ""
    is_lateness_logged: bool = False
    fetch: "asyncio.Task[None] | None" = None
    # Questions that came before the provider was asked the last time, and since.
    _answered: dict[int, None] = field(default_factory=dict)
    _open: dict[int, None] = field(default_factory=dict)
    # What the provider does not publish: asked about, and when it was fetched; and what it published once.
    _absent: dict[int, float] = field(default_factory=dict)
    _withdrawn: dict[int, None] = field(default_factory=dict)
    _paid_until: float = 0.0

    def take_over(self, known: "KeyShelf") -> None:
        """Take over the keys of another shelf, with their age."""
        self.keys, self.fetched_at = known.keys, known.fetched_at
        self.had_keys, self.failures, self.why = known.had_keys, known.failures, known.why
        self._withdrawn = dict(known._withdrawn)

    def is_stale(self, now: float) -> bool:
        """True if the keys are too old to be believed."""
        # A provider that answers is asked every `refresh`: only silence lets keys grow older than that.
        return self.fetched_at is None or now - self.fetched_at > self._max_age_s()

    def _max_age_s(self) -> float:
        return self.settings.refresh_s + self.settings.keep_stale_s

    def measure(self, now: float) -> tuple[float | None, float, int]:
        """Measure the age of the keys (None without any), the age that is too old, and how many are believed."""
        age_s = None if self.fetched_at is None else now - self.fetched_at
        return age_s, self._max_age_s(), 0 if self.is_stale(now) else len(self.keys.keys)

    def is_absent(self, name: Name, now: float) -> bool:
        """True if the provider has answered, a cooldown ago at most, that it does not publish this key."""
        settled_at = self.fetched_at if hash(name) in self._withdrawn else self._absent.get(hash(name))
        return settled_at is not None and now - settled_at < self.settings.cooldown_s

    def ask(self, name: Name) -> None:
        """Note a question, for the next time that the provider is asked."""
        self._open[hash(name)] = None
        if len(self._open) > _MAX_NAMES:
            del self._open[next(iter(self._open))]

    def note_asking(self) -> None:
        """Note that the provider is asked now: it answers all questions that were noted before."""
        self._answered, self._open = self._open, {}

    def may_ask(self, now: float) -> bool:
        """True if an unknown key may make us ask the provider now."""
        if self.failures:
            return self.tried_at is None or now - self.tried_at >= self.settings.cooldown_s
        return self._paid_until - now <= (_BURST - 1) * self.settings.cooldown_s

    def pay(self, now: float) -> None:
        """Count that an unknown key makes us ask."""
        self._paid_until = max(self._paid_until, now) + self.settings.cooldown_s

    def put(self, keys: KeySet, now: float) -> None:
        """Take the keys that the provider publishes now, and settle the questions that it has answered."""
        known, published = self.keys, {hash(name) for name in keys.by_name}
        gone = dict.fromkeys(name for name in (*self._withdrawn, *map(hash, known.by_name)) if name not in published)
        self._withdrawn = dict.fromkeys(tuple(gone)[-_MAX_NAMES:])
        fresh = {name: at for name, at in self._absent.items() if now - at < self.settings.cooldown_s}
        absent = {**fresh, **dict.fromkeys(self._answered, now)}
        self._absent = {name: at for name, at in tuple(absent.items())[-_MAX_NAMES:] if name not in published}
        # Keys before their age: another thread must not take old keys for fresh ones.
        self.keys = keys.keep_known(known)
        self.fetched_at = now
        self.had_keys = self.had_keys or bool(published)
        self.failures, self.why = 0, ""

    def describe(self, now: float) -> str:
        """Say how the keys are, for operators."""
        state = "ok" if not self.failures else f"failing ({self.why})" if self.why else "failing"
        if self.fetched_at is None:
            return "no keys yet" if not self.failures else f"no keys yet: {self.why or 'see the log'}"
        dropped = f", {len(self.keys.dropped)} dropped" if self.keys.dropped else ""
        return f"{state}, {len(self.keys.keys)} keys{dropped}, fetched {round(now - self.fetched_at)} s ago"
