"""What happens next to the traffic: reloads, key rotations, outages of an issuer; one after the other.

Each turn says first that both may be the case, then does it, then waits until the sidecar itself shows that it has
taken effect (its metrics), and only then says what must be the case from now on.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import httpx

from agen_authz.demo.issuer.keyring import name_key
from bench.soak.stage import Stage
from bench.soak.truth import EITHER, NO, YES, Facts, Possible
from bench.soak.watch import Metrics, await_true, read_metrics
from tests.stage.world import Provider

RELOAD_EVERY_S, ROTATE_EVERY_S, OUTAGE_EVERY_S = 20.0, 30.0, 75.0
_OUTAGE_S = 4.0
_OLD_SOURCE_S = 2.0
_BAD_EVERY, _PROVIDERS_EVERY = 5, 4
_NAMES = ("one", "two")


@dataclass(slots=True)
class Conductor:
    """Runs in a separate thread until told to stop."""

    stage: Stage
    facts: Facts
    stopped: Event
    pace: float = 1.0
    done: Counter[str] = field(default_factory=Counter)
    _rng: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311  no secret

    def run(self) -> None:
        """Take turns until stopped.

        Raises:
            NotSeen: something did not take effect.
        """
        now = time.monotonic()
        turns: list[tuple[float, float, Callable[[], None]]] = [
            (now + every / 2, every, turn)
            for every, turn in (
                (RELOAD_EVERY_S / self.pace, self._reload),
                (ROTATE_EVERY_S / self.pace, self._rotate),
                (OUTAGE_EVERY_S / self.pace, self._outage),
            )
        ]
        while not self.stopped.is_set():
            at, every, turn = min(turns, key=lambda each: each[0])
            if self.stopped.wait(max(0.0, at - time.monotonic())):
                return
            turn()
            turns.remove((at, every, turn))
            turns.append((at + every, every, turn))

    def metrics(self) -> Metrics:
        """Read the sidecar's metrics."""
        with httpx.Client(trust_env=False, timeout=15.0) as web:
            return read_metrics(web.get(f"{self.stage.world.ops}/metrics").text)

    # ---- reloads -----------------------------------------------------------------------------------------

    def _reload(self) -> None:
        number = self.done["reloads"] + self.done["bad reloads"] + 1
        if number % _BAD_EVERY == 0:
            self._reload_badly()
        elif number % _PROVIDERS_EVERY == 0:
            self._reload_providers()
        else:
            self._reload_rules()

    def _reload_providers(self) -> None:
        """Let the keys be fetched by a new source; the old one ends when no call can wait for it any more."""
        config = self.stage.config
        config.refresh = "900ms" if config.refresh == "1s" else "1s"
        self._reload_rules()
        self.stopped.wait(_OLD_SOURCE_S)
        self.done["reloads with other providers"] += 1

    def _reload_rules(self) -> None:
        config, before = self.stage.config, self._versions()
        self.facts.toggle(EITHER)
        config.is_on = not config.is_on
        config.write()
        self._hang_up()
        # Check decides by it first; for a moment `/metrics` shows both, until the workers that inspect have it too.
        await_true(lambda: len(now := self._versions()) == 1 and now != before, "the reloaded set to decide")
        self.facts.toggle(YES if config.is_on else NO)
        self.done["reloads"] += 1

    def _reload_badly(self) -> None:
        """Offer a file that cannot be used: the last good set still decides."""
        before = self.metrics()
        self.stage.config.replace("version: 1\nresources: nothing\n")
        self._hang_up()
        await_true(lambda: self._has_counted(before, "agen_policy_reload_total", outcome="failed"), "a failed reload")
        self.stage.config.write()
        self._hang_up()
        await_true(lambda: self._has_counted(before, "agen_policy_reload_total", outcome="ok"), "a good reload")
        self.done["bad reloads"] += 1

    def _hang_up(self) -> None:
        self.stage.world.sidecar.send_signal(signal.SIGHUP)

    def _versions(self) -> frozenset[str]:
        return frozenset(self.metrics().labels_of("agen_policy_set_info", "version"))

    # ---- keys --------------------------------------------------------------------------------------------

    def _rotate(self) -> None:
        """Sign with a fresh key; every other time the older ones are taken back at once."""
        number = self.done["rotations"]
        name, is_dropping = _NAMES[number % 2], number // 2 % 2 == 1
        issuer = self._provider(name).issuer
        fresh = name_key(issuer.sources.make_key())
        published = {(name, key.kid): YES for key in issuer.ring.published(time.time())}
        gone: Possible = EITHER if is_dropping else YES
        self.facts.turn_keys({(name, fresh.kid): EITHER, **dict.fromkeys(published, gone)})
        issuer.ring.rotate(fresh, now=time.time(), drop=is_dropping)
        self._await_fetches(name, "ok")
        self.facts.turn_keys({(name, fresh.kid): YES, **dict.fromkeys(published, NO if is_dropping else YES)})
        self.done["rotations"] += 1
        self.done["rotations that withdrew keys"] += is_dropping

    def _outage(self) -> None:
        """Let an issuer be down for some seconds: known keys are good for longer than that."""
        name = self._rng.choice(_NAMES)
        provider = self._provider(name)
        self.facts.turn_issuer(name, EITHER)
        provider.is_down = True
        self._await_fetches(name, "malformed")
        self.facts.turn_issuer(name, YES)
        self._reload_rules()
        self.stopped.wait(_OUTAGE_S)
        self.facts.turn_issuer(name, EITHER)
        provider.is_down = False
        self._await_fetches(name, "ok")
        self.facts.turn_issuer(name, NO)
        self.done["outages"] += 1

    def _provider(self, name: str) -> Provider:
        return self.stage.world.one if name == "one" else self.stage.world.two

    def _await_fetches(self, name: str, outcome: str) -> None:
        """Wait for two fetches: one may have been under way, the second began after the change."""
        before = self.metrics()
        labels = {"provider": name, "outcome": outcome}
        await_true(lambda: self._has_counted(before, "agen_jwks_refresh_total", least=2, **labels), f"keys of {name}")

    def _has_counted(self, before: Metrics, metric: str, *, least: int = 1, **labels: str) -> bool:
        return self.metrics().total(metric, **labels) >= before.total(metric, **labels) + least
