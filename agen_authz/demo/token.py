"""Access tokens for the demo's roles, from the demo's issuer."""

import httpx

from agen_authz.demo.issuer.client import DEMO_SECRET
from agen_authz.demo.launch import DemoError


async def fetch_token(issuer: str, role: str, resource: str, **more: str) -> str:
    """Fetch an access token by client credentials; `more` may hold `acr`, `country`, `scope` and `ttl` (seconds).

    Raises:
        DemoError: no demo is running, or it gives no such token.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": f"demo-{role}",
        "client_secret": DEMO_SECRET,
        "resource": resource,
        **more,
    }
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
            response = await client.post(f"{issuer}/token", data=form)
    except httpx.HTTPError as exc:
        raise DemoError(f"no demo is running ({issuer} does not answer); start it with `agen-authz demo`") from exc
    answer = response.json()
    if response.status_code != 200:
        raise DemoError(f"the issuer gives no token: {answer.get('error_description') or answer.get('error')}")
    return str(answer["access_token"])
