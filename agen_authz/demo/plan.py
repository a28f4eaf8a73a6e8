"""The demo as values: who listens where, which roles there are, and the configuration that they run under."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from string import Template

HOST = "127.0.0.1"
SCOPE = "mcp:tools"
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class DemoPorts:
    """Where each part listens, on loopback."""

    envoy: int = 10000
    issuer: int = 10001
    crm: int = 10002
    billing: int = 10003
    authz: int = 9191
    proc: int = 9192
    ops: int = 9464
    console: int = 8080

    def __str__(self) -> str:
        """Write the ports that are not the usual ones, as `read_ports` reads them."""
        usual, names = DemoPorts(), [each.name for each in fields(self)]
        return ",".join(
            f"{name}={getattr(self, name)}" for name in names if getattr(self, name) != getattr(usual, name)
        )


def read_ports(text: str) -> DemoPorts:
    """Read ports, e.g. `envoy=20000,ops=20001`; what is not named keeps its usual port.

    Raises:
        ValueError: a name is not one of a part, or a port is not one; the message is one line for a person.
    """
    known = [each.name for each in fields(DemoPorts)]
    named: dict[str, int] = {}
    for pair in filter(None, text.split(",")):
        name, _, port = pair.partition("=")
        if name not in known:
            raise ValueError(f"unknown part `{name}`; there are {', '.join(known)}")
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise ValueError(f"expected a port from 1 to {_LAST_PORT} for `{name}`, got `{port}`")
        named[name] = int(port)
    ports = replace(DemoPorts(), **named)
    if len({getattr(ports, name) for name in known}) < len(known):
        raise ValueError("two parts have the same port")
    return ports


@dataclass(frozen=True, slots=True)
class Plan:
    """One demo: its ports, and the directory that holds all of its state."""

    state: Path
    ports: DemoPorts = DemoPorts()

    @property
    def issuer(self) -> str:
        """The issuer's URL."""
        return f"http://{HOST}:{self.ports.issuer}"

    @property
    def config_file(self) -> Path:
        """The sidecar's configuration."""
        return self.state / "agen.yaml"

    @property
    def envoy_file(self) -> Path:
        """Envoy's bootstrap."""
        return self.state / "envoy.yaml"

    @property
    def audit_file(self) -> Path:
        """What the sidecar writes to its standard output."""
        return self.state / "audit.jsonl"

    @property
    def console(self) -> str:
        """The approvers' pages."""
        return f"http://{HOST}:{self.ports.console}"

    def keys_dir(self, resource: str) -> Path:
        """Where the keys of one resource lie, each in a file that is named by its id."""
        return self.state / "keys" / resource

    def descriptions_dir(self, resource: str) -> Path:
        """Where a person puts a file to let a resource's server describe a tool in other words: `NAME.txt`."""
        return self.state / "descriptions" / resource

    def url_of(self, resource: str) -> str:
        """The URL that callers configure for a resource, which is also its tokens' audience."""
        return f"http://{HOST}:{self.ports.envoy}/{resource}/mcp"

    def listeners(self) -> dict[str, int]:
        """Name every port that must be free."""
        ports = self.ports
        return {
            "Envoy": ports.envoy,
            "the issuer": ports.issuer,
            "the crm server": ports.crm,
            "the billing server": ports.billing,
            "the sidecar": ports.authz,
            "the sidecar's inspection": ports.proc,
            "the sidecar's metrics": ports.ops,
            "the console": ports.console,
        }


RESOURCES = ("crm", "billing")
ROLES = {
    "analyst": "reads customers, deals and invoices",
    "support": "also edits deals and notes",
    "finance": "reads invoices and refunds them",
    "admin": "may do everything, deletes included",
}


def render_config(plan: Plan) -> str:
    """Render the sidecar's configuration: the smallest that shows every kind of answer."""
    return _CONFIG.substitute(
        host=HOST,
        authz=plan.ports.authz,
        proc=plan.ports.proc,
        ops=plan.ports.ops,
        port=plan.ports.console,
        console=plan.console,
        people_keys=plan.keys_dir("people"),
        issuer=plan.issuer,
        crm=plan.url_of("crm"),
        billing=plan.url_of("billing"),
        crm_keys=plan.keys_dir("crm"),
        billing_keys=plan.keys_dir("billing"),
        scope=SCOPE,
        state=plan.state,
    )


_CONFIG = Template("""\
# The demo's configuration. Loopback only: everything marked insecure_ is refused anywhere else.
version: 1
server:
  authz: $host:$authz
  proc: $host:$proc
  ops: $host:$ops
  console: $host:$port
  shutdown_grace: 2s
providers:
  - name: demo
    issuer: $issuer
    insecure_issuer: true
    algorithms: [ES256]
    token_types: [at+jwt]
    jwks: {refresh: 10s, cooldown: 1s}
    claims: {tenant: tenantId, country: country}
resources:
  - name: crm
    url: $crm
    providers: [demo]
    scopes: [$scope]
    origins: ["http://localhost:6274", "http://127.0.0.1:6274"]
    upstream_path: /mcp
    signing_keys: [{id: crm-1, secret_file: $crm_keys/crm-1}]
  - name: billing
    url: $billing
    providers: [demo]
    scopes: [$scope]
    origins: ["http://localhost:6274", "http://127.0.0.1:6274"]
    upstream_path: /mcp
    signing_keys: [{id: billing-1, secret_file: $billing_keys/billing-1}]
    # Answers to questions of the server, as legacy clients post them, could change what was approved.
    methods: {response: deny}
access:
  mapping: roles
  rules:
    - name: everybody reads customers
      tools: ["crm/get_*", "crm/search_*", "crm/list_*"]
      resources: ["crm/customer://**"]
      prompts: ["crm/summarize"]
      allow: [analyst, support, admin]
    - name: support edits
      tools: ["crm/update_*", "crm/create_*"]
      allow: [support, admin]
    - name: admins delete and export
      tools: ["crm/delete_*", "crm/export_*"]
      allow: [admin]
    - name: reading invoices
      tools: ["billing/get_*", "billing/search_*"]
      resources: ["billing/invoice://**"]
      allow: [analyst, finance, admin]
    - name: moving money
      tools: ["billing/refund", "billing/payout", "billing/update_*"]
      allow: [finance, admin]
policies:
  - name: payouts need a fresh second factor and their scope
    state: enforce
    tools: ["billing/payout"]
    then: step_up
    step_up: {acr: ["urn:mfa"], max_age: 5m, scope: "billing:payout"}
    message: Paying out needs a second factor.
  - name: large refunds need a second factor
    state: enforce
    tools: ["billing/refund"]
    when: ["args.amount > 1000.0"]
    then: step_up
    step_up: {acr: ["urn:mfa"]}
    message: Refunding more than 1000 needs a second factor.
  - name: refunds above 2000 need approval
    state: enforce
    tools: ["billing/refund"]
    when: ["args.amount > 2000.0"]
    then: require_approval
    flow: large payments
    message: Refunding more than 2000 must be approved.
approvals:
  base_url: $console
  flows:
    - name: large payments
      steps: [{name: platform, approvers: {roles: [admin]}}]
      timeout: 30m
      show_arguments: [/amount, /invoice_id]
console:
  provider: demo
  client_id: agen-console
  client_secret_file: $people_keys/console
  admins: {roles: [admin]}
  unmask: {roles: [admin]}
data_protection:
  - name: card data and secrets
    state: enforce
    tools: ["crm/*", "billing/*"]
    resources: ["crm/**", "billing/**"]
    prompts: ["crm/*"]
    presets: [pci, secrets]
  - name: personal data outside of Europe
    state: enforce
    tools: ["crm/*"]
    resources: ["crm/customer://**"]
    prompts: ["crm/*"]
    when:
      - '!("admin" in user.roles)'
      - '!(user.country in ["DE", "FR", "IT", "SE"])'
    presets: [pii, gdpr]
    style: {default: redact, email: partial, phone: last4, date_of_birth: generalize}
# What a tool is must be approved before callers see it: the demo approves what its servers list at the start.
tools: {pinning: enforce}
store:
  url: sqlite:///$state/agen.db
  encryption_key_file: $people_keys/store
""")
