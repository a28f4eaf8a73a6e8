"""Write a key into a file if the file is not there: `make_key.py FILE`; what compose.yaml runs once."""

import os
import secrets
import sys
from pathlib import Path

_KEY_BYTES = 32


def main(file: Path) -> None:
    """Write the key, readable by its owner only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(_KEY_BYTES) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
