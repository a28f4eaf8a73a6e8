"""Cookies: `__Host-` on https, so that no other host and no plain page can set or read them.

On http, which is for loopback only, browsers refuse that prefix: the names are plain there, and the cookies not
`Secure`. `SameSite=Lax`, because people come from links in messages; what changes something is a POST, which brings no
such cookie from elsewhere.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of the console."""

    name: str
    is_secure: bool

    def read(self, request: Request) -> str:
        """Read it; empty if it is not there."""
        return request.cookies.get(self.name, "")

    def set(self, response: Response, value: str, max_age_s: float) -> None:
        """Hand it out."""
        response.set_cookie(
            self.name, value, max_age=int(max_age_s), path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        """Take it back."""
        response.delete_cookie(self.name, path="/", secure=self.is_secure, httponly=True, samesite="lax")


def name_cookie(purpose: str, *, is_secure: bool) -> Cookie:
    """Name a cookie."""
    return Cookie(f"{'__Host-' if is_secure else ''}agen-{purpose}", is_secure)
