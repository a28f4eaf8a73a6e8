"""Our side of the vectors: what their signatures are computed over, and our verifier of each."""

from agen_authz.core.signature import SignedTarget, compute_signature, derive, render_signed_text
from agen_authz.verify import BackendVerifier, Identity, Received, read_headers
from tests.signing.vectors import Vector, encode


def lines_of(vector: Vector) -> list[tuple[str, str]]:
    """Find what each covered component is in a vector's request."""
    target = SignedTarget(vector.scheme, vector.header("host"), vector.path, vector.query)
    return [(name, _find(name, vector, target)) for name in vector.covered]


def _find(name: str, vector: Vector, target: SignedTarget) -> str:
    found = derive(name, vector.method, target) if name.startswith("@") else vector.header(name)
    assert found is not None, name
    return found


def render_signature(vector: Vector, parameters: str, secret: bytes) -> str:
    """Compute the header `signature` of a vector's request under any parameters."""
    mac = compute_signature(render_signed_text(lines_of(vector), parameters), secret)
    return f"agen=:{encode(mac)}:"


def verifier_of(vector: Vector) -> BackendVerifier:
    """Build the verifier of the backend that a vector reaches, at its time."""
    return BackendVerifier(
        vector.keys, resource=vector.resource, components=vector.components, clock=lambda: vector.now
    )


def verify(verifier: BackendVerifier, vector: Vector) -> Identity:
    """Give a vector's request to a verifier, as an ASGI server reads it."""
    headers, repeated = read_headers((name.encode(), value.encode("latin-1")) for name, value in vector.headers)
    received = Received(vector.method, vector.path, vector.query, headers, vector.scheme, repeated)
    return verifier.verify(received, vector.body)


def identity_of(vector: Vector) -> Identity:
    """Say who calls, as the vector tells it."""
    told = vector.identity
    texts = {name: told[name] for name in ("issuer", "subject", "tenant", "client", "resource", "request_id")}
    return Identity(roles=tuple(told["roles"]), permissions=tuple(told["permissions"]), **texts)
