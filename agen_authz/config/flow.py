"""`approvals`, `notifications`, `console`, `signing`, `store`, `audit` and `telemetry` of the configuration file."""

from typing import Annotated, Literal

from pydantic import Field

from agen_authz.config.section import Line, Lines, Name, Section
from agen_authz.config.unit import Bytes, PositiveSeconds, Seconds

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Approvers(Section):
    """Who may decide: roles and groups match at sign-in, e-mails can be written to."""

    roles: Lines = Field((), description="Roles.")
    groups: Lines = Field((), description="Groups.")
    emails: Lines = Field((), description="E-mail addresses.")


class FlowStep(Section):
    """One step of an approval."""

    name: Name = Field(description="The step's name.")
    approvers: Approvers = Field(description="Who may decide.")
    quorum: int = Field(1, description="How many must approve.")


class Notify(Section):
    """Who is told."""

    urls_file: Line | None = Field(None, description="Apprise URLs, one a line.")
    requester: bool = Field(True, description="Whether the requester is told.")


class Flow(Section):
    """How a call gets approved."""

    name: Name = Field(description="The flow's name.")
    steps: tuple[FlowStep, ...] = Field(description="Steps, in order.")
    timeout: PositiveSeconds = Field(description="How long the approvers have.")
    on_timeout: Literal["deny", "approve"] = Field("deny", description="What no decision means.")
    low_risk: bool = Field(False, description="Needed for `on_timeout: approve`.")
    remind_every: PositiveSeconds | None = Field(None, description="How often approvers are reminded.")
    requester_may_approve: bool = Field(False, description="Whether one may approve one's own call.")
    show_arguments: Lines = Field((), description="JSON pointers shown unmasked to approvers.")
    notify: Notify = Field(Notify(), description="Who is told.")


class Approvals(Section):
    """Calls that a person must approve."""

    base_url: Line | None = Field(None, description="Where approvers open the console.")
    hold: Seconds = Field(0.0, description="How long a call waits for a decision.")
    grant_ttl: PositiveSeconds = Field(900.0, description="How long an approved call may be made, once.")
    max_open_per_subject: Count = Field(20, description="Open requests of one caller.")
    retention: PositiveSeconds = Field(30 * 86400.0, description="When arguments are erased.")
    flows: tuple[Flow, ...] = Field((), description="The flows that policies name.")


class Notifications(Section):
    """How people are written to."""

    email_url_file: Line | None = Field(None, description="Apprise mail URL for people's own addresses.")
    max_per_hour: Count = Field(200, description="Messages an hour, at most.")


class Holders(Section):
    """Whoever has one of these roles."""

    roles: Lines = Field(description="Roles.")


class Console(Section):
    """The approvers' pages."""

    provider: Line = Field(description="Where approvers sign in.")
    client_id: Line = Field(description="The console's client id.")
    client_secret_file: Line = Field(description="The console's client secret.")
    session: PositiveSeconds = Field(8 * 3600.0, description="How long a session lasts.")
    fresh_login: PositiveSeconds = Field(3600.0, description="How fresh a login must be to decide.")
    admins: Holders | None = Field(None, description="Who sees everything.")
    unmask: Holders | None = Field(None, description="Who may see arguments unmasked.")


class Signing(Section):
    """Signatures for backends."""

    expires: PositiveSeconds = Field(60.0, description="How long a signature is good.")
    components: Lines = Field(
        (),
        description="Components besides the mandatory ones: `@method`, `@path`, `@query`, `content-digest`, every "
        "`agen-*` header, and `content-type`, `content-encoding` and `mcp-*` headers that are present.",
    )


class Store(Section):
    """State that survives a restart."""

    url: Line | None = Field(
        None, description="sqlite:////path; the default is sqlite:////var/lib/agen/agen.db. PostgreSQL: not yet."
    )
    url_env: Line | None = Field(None, description="A variable that holds the url.")
    url_file: Line | None = Field(None, description="A file that holds the url.")
    encryption_key_file: Line | None = Field(None, description="Encrypts arguments, keys digests.")


class Spool(Section):
    """Where events wait for their sinks."""

    dir: Line = Field("/var/lib/agen/audit", description="Directory.")
    max_bytes: Bytes = Field(1 << 30, description="Room.")


class Sink(Section):
    """Where events go."""

    name: Name = Field(description="The sink's name in metrics.")
    type: Literal["stdout", "file", "otlp", "syslog", "splunk_hec", "https"] = Field(description="Its kind.")
    format: Literal["json", "ocsf", "cef"] = Field("json", description="How events are written.")
    required: bool = Field(False, description="Whether decisions wait for it.")
    path: Line | None = Field(None, description="file: where.")
    rotate: Bytes | None = Field(None, description="file: size of one file.")
    endpoint: Line | None = Field(None, description="otlp: where.")
    address: Line | None = Field(None, description="syslog: host:port.")
    tls: bool | None = Field(None, description="syslog: whether to use TLS.")
    ca_file: Line | None = Field(None, description="syslog: whom to trust.")
    url: Line | None = Field(None, description="splunk_hec, https: where.")
    token_file: Line | None = Field(None, description="splunk_hec: its token.")
    secret_file: Line | None = Field(None, description="https: signs what is sent.")


class Audit(Section):
    """Evidence."""

    arguments: Literal["digest", "masked"] = Field("digest", description="What events hold of arguments.")
    chain: bool = Field(True, description="Whether events are hash-chained.")
    checkpoint_key_file: Line | None = Field(None, description="Signs checkpoints of the chain (Ed25519).")
    spool: Spool = Field(Spool(), description="Where events wait.")
    denials_per_second: Count = Field(
        50, description="Events of requests without a verified caller; beyond this they are counted in one."
    )
    on_full: Literal["deny", "drop"] = Field("deny", description="When a required sink's spool is full.")
    sinks: tuple[Sink, ...] = Field(
        (Sink(name="stdout", type="stdout"),), description="Where events go; default: one sink of type stdout."
    )


class Telemetry(Section):
    """Traces."""

    traces: Line | None = Field(None, description="OTLP endpoint.")
