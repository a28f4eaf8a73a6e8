"""Takes pictures of every page: `python -m tests.browser.pictures FOLDER [PAGE...]`.

Each page at the width of a desktop and of a phone, light and dark.
"""

import sys
from pathlib import Path

from tests.browser.conftest import launch
from tests.browser.front import running_front
from tests.browser.test_barriers import LOOKS, PAGES


def take(folder: Path, names: set[str]) -> None:
    """Take the pictures; `names` are pages, none for all."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name: page for name, page in PAGES.items() if not names or name in names}
    with launch() as chromium, running_front(chromium) as front:
        for look, (size, scheme) in LOOKS.items():
            for role in sorted({role for role, _ in wanted.values()}):
                with front.person(role, color_scheme=scheme) as person:
                    person.page.set_viewport_size(size)
                    for name, (whose, place) in wanted.items():
                        if whose == role:
                            person.open(place)
                            person.page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]), set(sys.argv[2:]))
