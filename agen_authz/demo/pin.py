"""The demo approves what its own servers list first, as an operator would; the sidecar reads it from the store."""

import asyncio
import time

from agen_authz.app.pins import change_pins, read_listing
from agen_authz.config import load
from agen_authz.demo.launch import DemoError
from agen_authz.demo.plan import RESOURCES, Plan
from agen_authz.demo.token import fetch_token
from agen_authz.demo.wire import post_message, try_call
from agen_authz.operating.pin import approve, choose
from agen_authz.operating.tools import view_tools

OPERATOR = "agen-authz demo"
_TIMEOUT_S, _POLL_S = 15.0, 0.2


async def pin_all(plan: Plan) -> None:
    """Let every server list its tools through Envoy, approve those that are new, and wait until calls of them pass.

    Raises:
        DemoError: calls of approved tools do not pass.
    """
    for name in RESOURCES:
        url = plan.url_of(name)
        token = await fetch_token(plan.issuer, "admin", url)
        for method in ("server/discover", "tools/list"):
            await post_message(url, token, method)
    config = load(plan.config_file, secrets=False, environ={}).config
    views = view_tools(await read_listing(config))
    # What deceives a reader is never approved unseen, not even here.
    chosen = [each for each in choose(views, None, is_server=True, changed=False) if not each.deceives]
    await change_pins(config, lambda store: approve(store, chosen, OPERATOR, time.time()))
    await _await_pins(plan)


async def _await_pins(plan: Plan) -> None:
    token = await fetch_token(plan.issuer, "analyst", plan.url_of("crm"))
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
    while not await try_call(plan.url_of("crm"), token):
        if asyncio.get_running_loop().time() > deadline:
            raise DemoError(f"calls of pinned tools do not pass; the logs are in {plan.state}")
        await asyncio.sleep(_POLL_S)
