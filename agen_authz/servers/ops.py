"""Pages for operators: metrics, liveness and readiness, over HTTP on a separate socket.

Readiness says in one line per part what is wrong, and says it to loopback only.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from agen_authz.core.http.loopback import is_loopback_address


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of each part; `is_ready` is true if new calls are accepted."""

    is_ready: bool
    parts: Mapping[str, str]


def build_ops(
    render_metrics: Callable[[], Awaitable[tuple[bytes, str]]], check_readiness: Callable[[], Awaitable[Readiness]]
) -> Starlette:
    """Build the operators' application.

    Args:
        render_metrics: asked on every `/metrics`; returns the exposition and its content type.
        check_readiness: asked on every `/readyz`.
    """

    async def metrics(_: Request) -> Response:
        body, content_type = await render_metrics()
        return Response(body, headers={"content-type": content_type})

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        readiness = await check_readiness()
        answer: dict[str, object] = {"ready": readiness.is_ready}
        if request.client is not None and is_loopback_address(request.client.host):
            answer["parts"] = dict(readiness.parts)
        return JSONResponse(answer, status_code=200 if readiness.is_ready else 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/livez", livez), Route("/readyz", readyz)])
