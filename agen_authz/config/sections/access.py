"""`access`, `policies`, `tenants`, `data_protection`, `tools` and `hooks` of the configuration file."""

from typing import Literal

from pydantic import Field

from agen_authz.config.scope import Scope
from agen_authz.config.section import Line, Lines, Name, Section, Selectors, Text
from agen_authz.config.unit import PositiveSeconds

State = Literal["disabled", "shadow", "enforce"]
MaskStyle = Literal["redact", "partial", "last4", "hash", "tokenize", "generalize", "drop"]


class AccessRule(Section):
    """Who may use what; a call is allowed when at least one rule that names its target is satisfied."""

    name: Name = Field(description="The rule's name, in events and explanations.")
    tools: Selectors = Field(None, description="Tools it names, as server/name; * matches within one part.")
    resources: Selectors = Field(None, description="Resource URIs it names, as server/uri; ** matches any rest.")
    prompts: Selectors = Field(None, description="Prompts it names, as server/name.")
    allow: Lines | None = Field(None, description="Roles or permissions, any of which is enough.")
    allow_all: Lines | None = Field(None, description="Roles or permissions, all of which are needed.")


class Access(Section):
    """Least privilege."""

    mapping: Literal["roles", "permissions"] = Field(
        description="What rules ask for: permanent, the store remembers the first value."
    )
    rules: tuple[AccessRule, ...] = Field((), description="The rules; their order means nothing.")


class StepUpDemand(Section):
    """What a stronger token must show; all that are given must hold."""

    acr: Lines | None = Field(None, description="Authentication contexts, any of which is enough.")
    amr: Lines | None = Field(None, description="Authentication methods, any of which is enough.")
    max_age: PositiveSeconds | None = Field(None, description="How long ago the caller may have authenticated.")
    scope: Scope | None = Field(
        None, description="A scope that the token must have; `{name, request_as}` as in `resources[].scopes`."
    )


class Policy(Section):
    """What is denied, or asks for more, under conditions."""

    name: Name = Field(description="The policy's name.")
    state: State = Field(description="disabled, shadow (evaluated and recorded, never enforced) or enforce.")
    tools: Selectors = Field(None, description="Tools it is about; without any selector it is about everything.")
    resources: Selectors = Field(None, description="Resource URIs it is about.")
    prompts: Selectors = Field(None, description="Prompts it is about.")
    when: tuple[Text, ...] | None = Field(None, description="CEL conditions, all of which must hold; absent: always.")
    then: Literal["deny", "step_up", "require_approval"] = Field(description="What it asks for.")
    message: Line | None = Field(None, description="What the caller is told.")
    flow: Line | None = Field(None, description="The approval flow, with `then: require_approval`.")
    step_up: StepUpDemand | None = Field(None, description="What is needed, with `then: step_up`.")


class Tenant(Section):
    """What one tenant adds; it can only tighten."""

    policies: tuple[Policy, ...] = Field(description="Policies of this tenant.")


class DetectorChoice(Section):
    """Detectors beside those of the presets, and those left out."""

    add: Lines | None = Field(None, description="Detectors to add.")
    remove: Lines | None = Field(None, description="Detectors to leave out.")


class CustomDetector(Section):
    """A pattern of one's own."""

    name: Name = Field(description="Its name in events and in what redact writes.")
    pattern: Line = Field(description="An RE2 pattern.")
    style: MaskStyle = Field("redact", description="How its matches are masked.")


class Protection(Section):
    """What is masked in what comes back."""

    name: Name = Field(description="The rule's name.")
    state: State = Field(description="disabled, shadow or enforce.")
    tools: Selectors = Field(None, description="Tools whose results it is about.")
    resources: Selectors = Field(None, description="Resource URIs it is about.")
    prompts: Selectors = Field(None, description="Prompts it is about.")
    when: tuple[Text, ...] | None = Field(None, description="CEL conditions; one that cannot be evaluated applies.")
    presets: tuple[Literal["pii", "phi", "gdpr", "pci", "secrets"], ...] | None = Field(
        None, description="Groups of detectors."
    )
    detectors: DetectorChoice | None = Field(None, description="Single detectors.")
    custom: tuple[CustomDetector, ...] | None = Field(None, description="Patterns of one's own.")
    style: dict[Line, MaskStyle] | None = Field(None, description="How matches are masked, by detector; `default`.")
    exempt_paths: Lines | None = Field(None, description="JSON pointers that stay, * for one step.")
    binary: Literal["block", "pass"] = Field("block", description="Images, audio and blobs that are not text.")
    on_failure: Literal["block", "pass"] = Field("block", description="Bodies that cannot be inspected.")


class Tools(Section):
    """Tool definitions and lists."""

    pinning: Literal["off", "observe", "enforce"] = Field("observe", description="Whether definitions are pinned.")
    filter_lists: bool = Field(True, description="Lists show only what the caller may call.")


class Hook(Section):
    """A question to a service of one's own."""

    name: Name = Field(description="The hook's name.")
    on: Literal["call", "list", "result"] = Field(description="When it is asked.")
    tools: Selectors = Field(None, description="Tools it is asked about.")
    resources: Selectors = Field(None, description="Resource URIs it is asked about.")
    prompts: Selectors = Field(None, description="Prompts it is asked about.")
    url: Line = Field(description="http(s) or grpc(s).")
    secret_file: Line | None = Field(None, description="Signs what is sent.")
    timeout: PositiveSeconds = Field(0.3, description="How long it is waited for.")
    on_failure: Literal["deny", "pass"] = Field("deny", description="What a failing hook means.")
