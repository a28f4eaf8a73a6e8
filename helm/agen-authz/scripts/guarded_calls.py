"""The calls of `helm test`: one is allowed, one is denied, and the answer of one is masked. Standard library only.

    guarded_calls.py CALLS.json TOKEN_FOLDER

Exits 1 with a line for each call that did not end as it must.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

MODERN, LEGACY = "2026-07-28", "2025-11-25"
TIMEOUT_S, TRIES = 10, 10
CLIENT = {"name": "helm-test", "version": "1"}


def fetch_token(calls, folder):
    """Read the token from the Secret, or log in with the client's credentials that are in it."""
    file = folder / calls["token_key"]
    if file.is_file():
        return file.read_text("utf-8").strip()
    form = {
        "grant_type": "client_credentials",
        "client_id": (folder / "client_id").read_text("utf-8").strip(),
        "client_secret": (folder / "client_secret").read_text("utf-8").strip(),
        "resource": calls["resource"],
    }
    if calls["scope"]:
        form["scope"] = calls["scope"]
    request = urllib.request.Request(calls["token_url"], urllib.parse.urlencode(form).encode())
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)["access_token"]


def post(calls, token, body, headers):
    """Post one message; its answer and the id of the session. Envoy may not be ready yet: 503 is asked again."""
    known = {
        "host": calls["host"],
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
    }
    request = urllib.request.Request(calls["url"], json.dumps(body).encode(), known | headers)
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return read(answer), answer.headers.get("mcp-session-id")
        except urllib.error.HTTPError as error:
            if error.code == 503 and attempt + 1 < TRIES:
                time.sleep(1)
                continue
            return read(error), None
        except urllib.error.URLError:
            if attempt + 1 == TRIES:
                raise
            time.sleep(1)
    raise TimeoutError("no answer")


def read(answer):
    """Read the JSON-RPC answer: a body, or the last message of an event stream that is one."""
    text = answer.read().decode("utf-8", "replace")
    if "text/event-stream" not in answer.headers.get("content-type", ""):
        try:
            return json.loads(text)
        except ValueError:
            return {"unread": f"{answer.status} {text[:200]}"}
    messages = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:") and line[5:].strip()]
    return next((each for each in reversed(messages) if "result" in each or "error" in each), {"unread": text[:200]})


def call(calls, token, wanted):
    """Call one tool, in the form that the server understands."""
    params = {"name": wanted["tool"], "arguments": wanted.get("arguments", {})}
    if not calls["legacy"]:
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": CLIENT,
        }
        headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": wanted["tool"]}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params | {"_meta": meta}}
        return post(calls, token, body, headers)[0]
    begin = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT}
    _, session = post(calls, token, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": begin}, {})
    headers = {"mcp-protocol-version": LEGACY} | ({"mcp-session-id": session} if session else {})
    return post(calls, token, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers)[0]


def find_mistake(name, wanted, answer):
    """Say what is wrong with an answer; an empty text if nothing is."""
    text = json.dumps(answer, ensure_ascii=False)
    if name == "denied":
        # The reason shows that agen-authz denied it, and not the server.
        return "" if "reason" in (answer.get("error", {}).get("data") or {}) else f"was not denied: {text[:300]}"
    if "result" not in answer:
        return f"was not allowed: {text[:300]}"
    if wanted.get("absent") and wanted["absent"] in text:
        return "has the value that must be masked"
    if wanted.get("present") and wanted["present"] not in text:
        return f"does not have `{wanted['present']}`"
    return ""


def main():
    """Make the three calls, and print a line for each."""
    calls = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    token = fetch_token(calls, Path(sys.argv[2]))
    failed = 0
    for name in ("allowed", "denied", "masked"):
        mistake = find_mistake(name, calls[name], call(calls, token, calls[name]))
        failed += bool(mistake)
        print(f"{name} call of {calls[name]['tool']}: {mistake or 'as it must be'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
