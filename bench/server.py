"""One server to measure, as a separate process: `python -m bench.server KIND ADDRESS`.

`empty-process` is Process with an empty handler; all others are Check.
"""

import asyncio
import os
import sys
from collections.abc import Callable

import uvloop
from prometheus_client import CollectorRegistry

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz._pb.agen.envoy.v1 import ext_proc_pb2 as proc
from agen_authz.adapters.audit import StdoutSink
from agen_authz.adapters.metrics import PrometheusMetrics
from agen_authz.core.reason import Reason
from agen_authz.servers.engine import Decider, Engine, Listener
from agen_authz.servers.ext_proc import Stream
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine
from agen_authz.servers.process_engine import ProcessEngine
from bench.subject import build_servicer

ENGINES: dict[str, Callable[[Listener, Decider], Engine]] = {"native": NativeEngine, "grpcio": GrpcioEngine}


class Empty:
    """Parses, sets four headers, decides nothing: what any ext_authz server in Python pays at least."""

    def find_caller(self, raw: bytes) -> None:
        """Know no caller."""

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        """Allow."""
        pb.CheckRequest.FromString(raw)
        response = pb.CheckResponse(status=pb.Status(code=0))
        for number in range(4):
            response.ok_response.headers.add(header=pb.HeaderValue(key=f"x-bench-{number}", value="v"))
        return response.SerializeToString()

    async def refuse(self, reason: Reason) -> bytes:
        """Deny."""
        return pb.CheckResponse(status=pb.Status(code=7)).SerializeToString()


class EmptyProcess:
    """Parses each message and lets it pass unchanged: what any ext_proc server in Python pays at least."""

    async def process(self, stream: Stream) -> None:
        """Answer one stream; `servers.grpcio_stream.StreamServicer`."""
        while (raw := await stream.read()) is not None:
            answer = proc.ProcessingResponse()
            # `response_headers`, `response_body` or `response_trailers`: the answer has the same name.
            getattr(answer, str(proc.ProcessingRequest.FromString(raw).WhichOneof("request"))).SetInParent()
            await stream.write(answer.SerializeToString())


def build_engine(kind: str, address: str) -> Engine:
    """Build one kind of server: what is served, and by which engine."""
    subject, _, by = kind.partition("-")
    listener = Listener(address, 1 << 20, 1024)
    return ProcessEngine(listener, EmptyProcess()) if by == "process" else ENGINES[by](listener, build_decider(subject))


def build_decider(what: str) -> Decider:
    """Build what is served: `empty`, or `ours` with its audit line and metrics."""
    if what == "empty":
        return Empty()
    metrics = PrometheusMetrics(CollectorRegistry())
    sink = StdoutSink(os.open(os.devnull, os.O_WRONLY), metrics)
    return build_servicer(sink, metrics)


async def serve(kind: str, address: str) -> None:
    """Serve until killed; prints one line when listening."""
    await build_engine(kind, address).start()
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
