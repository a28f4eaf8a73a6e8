"""One server to measure, as a process of its own: `python -m bench.server KIND ADDRESS`."""

import asyncio
import os
import sys

import uvloop
from prometheus_client import CollectorRegistry

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.adapters.audit import StdoutSink
from agen_authz.adapters.metrics import PrometheusMetrics
from agen_authz.servers.engine import CheckFunction, Listener
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine
from bench.subject import build_servicer

ENGINES = {"native": NativeEngine, "grpcio": GrpcioEngine}


async def empty(raw: bytes, remaining_s: float | None) -> bytes:
    """Parse, set four headers, decide nothing: what any ext_authz server in Python pays at least."""
    pb.CheckRequest.FromString(raw)
    response = pb.CheckResponse(status=pb.Status(code=0))
    for number in range(4):
        response.ok_response.headers.add(header=pb.HeaderValue(key=f"x-bench-{number}", value="v"))
    return response.SerializeToString()


def build_check(what: str) -> CheckFunction:
    """Build the function that is served: `empty`, or `ours` with its audit line and metrics."""
    if what == "empty":
        return empty
    metrics = PrometheusMetrics(CollectorRegistry())
    sink = StdoutSink(os.open(os.devnull, os.O_WRONLY), metrics)
    return build_servicer(sink, metrics).check


async def serve(what: str, engine: str, address: str) -> None:
    """Serve until killed; prints one line when listening."""
    server = ENGINES[engine](Listener(address, 1 << 20, 1024), build_check(what))
    await server.start()
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    kind, place = sys.argv[1:]
    uvloop.run(serve(*kind.split("-"), place))
