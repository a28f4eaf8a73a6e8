"""What Presidio's recognizers find in the corpus, in a separate environment."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from agen_authz.core.masking import find_id
from bench.masking.corpus import Sample
from bench.masking.score import Hit

_ROOT = Path(__file__).resolve().parents[2]
PYTHON = _ROOT / "build" / "presidio" / "bin" / "python"
_SIDE = Path(__file__).with_name("presidio_side.py")


def find(samples: Sequence[Sample], python: Path = PYTHON) -> tuple[frozenset[str], list[list[Hit]]]:
    """Find with all of its pattern recognizers; which of our detectors they know comes first.

    An entity counts as the detector that has it as an alias.
    """
    written = "".join(f"{json.dumps(sample.text)}\n" for sample in samples)
    command = [str(python), "-W", "ignore", str(_SIDE)]
    ran = subprocess.run(
        command, input=written, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True
    )
    first, *lines = ran.stdout.splitlines()
    known = {entity: find_id(entity) or entity for entity in json.loads(first)}
    hits = [[(start, end, known[entity]) for start, end, entity in json.loads(line)] for line in lines]
    return frozenset(known.values()), hits
