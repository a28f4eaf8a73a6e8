"""The demo's billing as an MCP server: invoices to read, money to move.

All of them are coroutines without a pause in them, so that each change happens as a whole.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from pydantic import Field

from agen_authz.demo.backend.billing_model import (
    Account,
    Invoice,
    InvoicePage,
    InvoiceStatus,
    PaymentMethod,
    Payout,
    Refund,
)
from agen_authz.demo.backend.billing_records import BillingRecords, Refusal, seed_billing
from agen_authz.demo.backend.described import DescribedServer
from agen_authz.demo.backend.hints import moving_money, overwriting, reading

InvoiceId = Annotated[str, Field(description="Id of the invoice, for example i-4001")]
Amount = Annotated[float, Field(gt=0, le=1_000_000, description="In the currency of the invoice or payout")]
Currency = Literal["EUR", "USD", "GBP"]


@dataclass(frozen=True, slots=True)
class Billing:
    """What the server offers, on top of its records."""

    records: BillingRecords

    async def get_invoice(self, invoice_id: InvoiceId) -> Invoice:
        """Get one invoice."""
        try:
            return self.records.invoices[invoice_id]
        except KeyError:
            raise _unknown("invoice", invoice_id) from None

    async def search_invoices(
        self,
        query: Annotated[str, Field(description="Part of an id, an account, a name or an e-mail address")] = "",
        status: Annotated[InvoiceStatus | None, Field(description="Only invoices in this status")] = None,
        limit: Annotated[int, Field(ge=1, le=100, description="At most so many")] = 20,
    ) -> InvoicePage:
        """Find invoices."""
        found = self.records.find_invoices(query, status)
        return InvoicePage(invoices=found[:limit], total=len(found))

    async def refund(
        self,
        invoice_id: InvoiceId,
        amount: Amount,
        reason: Annotated[str, Field(max_length=200, description="Why the money goes back")] = "",
    ) -> Refund:
        """Refund a paid invoice, wholly or in part."""
        try:
            return self.records.refund(invoice_id, amount, reason)
        except KeyError:
            raise _unknown("invoice", invoice_id) from None
        except Refusal as exc:
            raise ToolError(str(exc)) from None

    async def payout(
        self,
        payee: Annotated[str, Field(min_length=1, max_length=200, description="Who gets the money")],
        iban: Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9 ]{8,36}$", description="Where it goes")],
        amount: Amount,
        currency: Currency = "EUR",
    ) -> Payout:
        """Pay money out to a bank account; this cannot be undone."""
        return self.records.pay_out(payee, iban, amount, currency)

    async def update_payment_method(
        self,
        account_id: Annotated[str, Field(description="Id of the account, for example a-1001")],
        method: Annotated[PaymentMethod, Field(description="How the account pays from now on")],
    ) -> Account:
        """Replace the card or bank account that an account pays with."""
        try:
            return self.records.change_method(account_id, method)
        except KeyError:
            raise _unknown("account", account_id) from None

    async def read_resource(self, invoice_id: str) -> str:
        """An invoice, as JSON."""
        try:
            return self.records.invoices[invoice_id].model_dump_json()
        except KeyError:
            raise ResourceNotFoundError(f"unknown invoice `{invoice_id}`") from None


def build_billing(records: BillingRecords | None = None) -> DescribedServer:
    """Build the billing server."""
    billing = Billing(seed_billing() if records is None else records)
    server = DescribedServer(
        "agen-demo-billing",
        title="Demo billing",
        instructions="Invoices, refunds and payouts. All of it is invented, no money moves.",
        version="1.0.0",
        log_level="WARNING",
    )
    for tool in (billing.get_invoice, billing.search_invoices):
        server.add_tool(tool, annotations=reading())
    server.add_tool(billing.refund, annotations=moving_money())
    server.add_tool(billing.payout, annotations=moving_money())
    server.add_tool(billing.update_payment_method, annotations=overwriting())
    server.resource("invoice://{invoice_id}", name="invoice", mime_type="application/json")(billing.read_resource)
    return server


def _unknown(kind: str, name: str) -> ToolError:
    return ToolError(f"unknown {kind} `{name}`")
