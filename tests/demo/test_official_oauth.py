"""The official OAuth client finds the issuer, registers, lets a person log in, and refreshes."""

import json

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.demo.live import Stage, live_issuer, read_claims
from tests.demo.person import Browser, Memory, sign_in_as
from tests.stage.listen import serving_app
from tests.stage.port import HOST

pytestmark = pytest.mark.loopback


def build_resource(issuer_url: str) -> Starlette:
    """Build a resource that shows the claims of whatever token it gets, and challenges who brings none."""

    async def metadata(request: Request) -> Response:
        resource = str(request.url.replace(path="/mcp"))
        return JSONResponse(
            {"resource": resource, "authorization_servers": [issuer_url], "scopes_supported": ["mcp:tools"]}
        )

    async def show(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            where = request.url.replace(path="/.well-known/oauth-protected-resource/mcp")
            challenge = f'Bearer resource_metadata="{where}", scope="mcp:tools"'
            return Response(status_code=401, headers={"www-authenticate": challenge})
        return JSONResponse(read_claims(token))

    well_known = "/.well-known/oauth-protected-resource/mcp"
    return Starlette(routes=[Route(well_known, metadata), Route("/mcp", show, methods=["POST"])])


async def test_official_client_gets_a_token_for_the_resource_and_refreshes_it(stage: Stage):
    memory, browser = Memory(), Browser("support")
    with serving_app(build_resource(f"http://{stage.authority}")) as root:
        resource = f"{root}/mcp"
        live = stage.put_on(resources=(resource,))
        auth = sign_in_as("support", resource, memory, browser)
        async with httpx2.AsyncClient(auth=auth) as web:
            first = json.loads((await web.post(resource)).text)
            auth.context.token_expiry_time = 1.0
            live.clock.time += 60
            second = json.loads((await web.post(resource)).text)
    kept = [{name: claims.get(name) for name in ("sub", "aud", "auth_time")} for claims in (first, second)]
    assert kept == [
        {"sub": "u-1002", "aud": resource, "auth_time": first["iat"]},
        {"sub": "u-1002", "aud": resource, "auth_time": None},
    ]
    assert browser.query["iss"] == live.url


def test_two_issuers_can_share_kid_and_subject():
    with live_issuer() as one, live_issuer() as other:
        tokens = [live.mint(header={"kid": "same"}) for live in (one, other)]
        claims = [read_claims(token) for token in tokens]
    assert HOST in one.url
    assert claims[0]["sub"] == claims[1]["sub"]
    assert claims[0]["iss"] != claims[1]["iss"]
