"""`hooks`: your own services that are asked."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from agen_authz.config.part.selector import check_selectors
from agen_authz.config.part.url import is_web_url
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Name, Section, Selectors
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import PositiveSeconds

_HOOK_SCHEMES = ("https", "http", "grpcs", "grpc")


class Hook(Section):
    """Your own service that is asked before a decision."""

    name: Name = Field(description="The hook's name.")
    on: Literal["call", "list", "result"] = Field(description="The point at which the hook is asked.")
    state: Literal["disabled", "shadow", "enforce"] = Field(
        description="`disabled`: the hook is not asked. `shadow`: its answer changes nothing. `enforce`: it decides."
    )
    arguments: Literal["masked", "full", "none"] = Field(
        "masked", description="What the hook is sent of the call's arguments."
    )
    tools: Selectors = Field(None, description="The tools that the hook is asked about.")
    resources: Selectors = Field(None, description="The resource URIs that the hook is asked about.")
    prompts: Selectors = Field(None, description="The prompts that the hook is asked about.")
    url: Line = Field(description="The hook's URL: http, https, grpc or grpcs.")
    secret_file: Line | None = Field(None, description="The file with the key that signs requests to the hook.")
    timeout: PositiveSeconds = Field(0.3, description="How long the sidecar waits for the answer.")
    on_failure: Literal["deny", "pass"] = Field("deny", description="The decision if the hook fails.")


def check_hooks(findings: Findings, hooks: Sequence[Hook], known: Vocabulary, check_timeout: float) -> None:
    """Check hooks; `check_timeout` is how long Envoy waits, in seconds."""
    findings.refuse_twins(("hooks",), "name", (hook.name for hook in hooks), "hooks")
    for index, hook in enumerate(hooks):
        path: Path = ("hooks", index)
        check_selectors(findings, path, hook, known)
        if not is_web_url(hook.url, _HOOK_SCHEMES):
            findings.add((*path, "url"), "not the URL of a hook", "write https://host/path or grpcs://host:port")
        if hook.timeout >= check_timeout:
            message = "not shorter than `server.check_timeout`, which is all that Envoy waits"
            leans_on = (("server", "check_timeout"),)
            findings.add((*path, "timeout"), message, "shorten it, or give Envoy more time", leans_on=leans_on)
