"""Clients that abort while Check decides, on both engines, without the bound and with it: `python -m bench.storm`.

What came out is in docs/adr/0008-storms-of-resets.md.
"""

from tests.stage.storm import CALLERS, KINDS, SECONDS, Storm, measure, staged, unbounded

ENGINES = ("native", "grpcio")
_SHOWN = ("aborted", "resets", "goaways", "broken", "conns")


def render(name: str, storm: Storm) -> str:
    """Write one row."""
    seen = f"{storm.good:>7}{storm.lost:>7}{storm.lost_share:>8.2%}{storm.lost_in_calm:>7}{storm.let_in:>7}"
    times = f"{storm.p50_ms:>8.2f}{storm.worst_ms:>9.1f}"
    return f"{name:<36}{seen}{times}" + "".join(f"{storm.counts[each]:>9}" for each in _SHOWN)


def render_heading() -> str:
    """Write the names of the columns."""
    seen = f"{'good':>7}{'lost':>7}{'':>8}{'after':>7}{'let in':>7}{'p50 ms':>8}{'worst':>9}"
    return f"{'':<36}{seen}" + "".join(f"{each:>9}" for each in _SHOWN)


def run() -> None:
    """Measure every kind on both engines, without the bound and with it."""
    print(f"{CALLERS} good callers next to clients that abort, {SECONDS:g} s each, and calm after them")
    print(render_heading())
    for engine in ENGINES:
        for way, changed in (("unbounded", unbounded), ("as rendered", str)):
            with staged(engine, changed) as stage:
                for kind in KINDS:
                    print(render(f"{engine}, {way}, {kind}", measure(stage, kind)), flush=True)


if __name__ == "__main__":
    run()
