"""Which of our pages a sign-in may lead back to: a closed list, so that no link sends anybody elsewhere."""

import re

_REQUEST_ID = "[0-9a-f]{32}"
# No browser sends `.` and `..` as they are: they would lead to another page.
_PLACES = re.compile(
    r"(?![^?]*/(?:\.|%2[Ee]){1,2}(?:[/?]|$))"
    rf"(?:/|/requests(\?[A-Za-z0-9_=&%.~+-]{{0,300}})?|/requests/{_REQUEST_ID}|/tools(/[A-Za-z0-9_.~%:()-]{{1,600}}){{0,9}}"
    r"|/policies|/health|/masking|/decisions(/[A-Za-z0-9_-]{1,64}|\?[A-Za-z0-9_=&%.~+-]{0,300})?"
    r"|/terminal\?[A-Za-z0-9_=&-]{1,300})"
)
REQUEST_ID = re.compile(_REQUEST_ID)


def check_place(place: str) -> str:
    """Return the place if it is one of our pages, and the first page otherwise; without the prefix."""
    return place if _PLACES.fullmatch(place) else "/"
