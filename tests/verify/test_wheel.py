"""What `pip install agen-authz` brings is enough: the page's middlewares run on the wheel and http-sfv alone."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agen_authz.adapters.clock import SystemClock
from tests.verify.signed import KEY, arrive

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "backend-signatures.md").read_text("utf-8")
NEEDED = ("http_sfv", "typing_extensions")
# Runs if there is no site-packages: `sys.path` has the standard library and what is given.
BACKEND = """
import asyncio, io, json, sys

given = json.load(sys.stdin)
sys.path.insert(0, given["site"])


async def asgi_application(scope, receive, send):
    message = await receive()
    who = scope["state"]["agen_identity"].subject
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{who} {message['body'].decode()}".encode()})


def wsgi_application(environ, start_response):
    start_response("200 OK", [])
    return [f"{environ['agen.identity'].subject} {environ['wsgi.input'].read().decode()}".encode()]


def ask_asgi(app, headers, body):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp", "query_string": b""}
    scope |= {"headers": lines}
    asyncio.run(app(scope, receive, send))
    return [sent[0]["status"], sent[1]["body"].decode()]


def ask_wsgi(app, headers, body):
    said = []
    environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers}
    environ |= {"REQUEST_METHOD": "POST", "PATH_INFO": "/mcp", "wsgi.url_scheme": "http"}
    environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    answer = b"".join(app(environ, lambda status, headers: said.append(int(status[:3]))))
    return [*said, answer.decode()]


answers = []
for block, app, ask in zip(given["blocks"], (asgi_application, wsgi_application), (ask_asgi, ask_wsgi)):
    space = {"app": app}
    exec(block, space)
    answers += [ask(space["app"], headers, given["body"].encode()) for headers in (given["headers"], given["headers"])]
names = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"}
print(json.dumps({"answers": answers, "names": sorted(names)}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Build the wheel from a copy of what it is built from, and lay it next to what it needs."""
    source, site = (tmp_path_factory.mktemp(name) for name in ("source", "site"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "agen_authz", source / "agen_authz", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(source), str(source)], check=True, capture_output=True)
    (wheel,) = source.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in NEEDED:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, site / name)
        else:
            shutil.copy(origin, site)
    return site


def test_wheel_without_extras_needs_one_library(site):
    (metadata,) = site.glob("agen_authz-*.dist-info/METADATA")
    needs = re.findall(r"^Requires-Dist: (.*)$", metadata.read_text("utf-8"), re.MULTILINE)
    assert [need for need in needs if "extra ==" not in need] == ["http-sfv>=0.9.9"]


# PEP 561: without the marker, a type checker takes everything that a backend imports for `Any`.
def test_wheel_tells_type_checkers_that_it_is_typed(site):
    assert (site / "agen_authz" / "py.typed").is_file()


def test_both_middlewares_run_on_the_wheel_alone(site, tmp_path):
    (tmp_path / "crm-1").write_bytes(KEY)
    blocks = [
        block.replace("/etc/agen/keys", str(tmp_path)) for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    ]
    signed = arrive(created=int(SystemClock().now()))
    given = {
        "site": str(site),
        "blocks": [blocks[0], blocks[3]],
        "headers": [(name.decode(), value.decode()) for name, value in signed.lines],
        "body": signed.body.decode(),
    }
    command = [sys.executable, "-I", "-S", "-c", BACKEND]
    run = subprocess.run(command, input=json.dumps(given), check=True, capture_output=True, text=True)
    good, replayed = [200, f"ann {signed.body.decode()}"], [403, ""]
    assert json.loads(run.stdout) == {
        "answers": [good, replayed, good, replayed],
        "names": ["agen_authz", *NEEDED],
    }
    assert run.stderr.count("nonce: seen before") == 2
