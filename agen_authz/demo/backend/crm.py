"""The demo's CRM as an MCP server: tools, a resource, a prompt and its completion.

All of them are coroutines without a pause in them, so that each change happens as a whole.
"""

from dataclasses import dataclass
from typing import Annotated

from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)
from pydantic import Field

from agen_authz.demo.backend.crm_model import (
    Contact,
    ContactList,
    CustomerFile,
    CustomerPage,
    Deal,
    DealPage,
    Deletion,
    Note,
    Stage,
)
from agen_authz.demo.backend.crm_records import CrmRecords, seed_crm
from agen_authz.demo.backend.described import DescribedServer
from agen_authz.demo.backend.hints import adding, overwriting, reading

_MAX_COMPLETIONS = 100  # what MCP allows in one answer

CustomerId = Annotated[str, Field(description="Id of the customer, for example c-1001")]
DealId = Annotated[str, Field(description="Id of the deal, for example d-2001")]
Limit = Annotated[int, Field(ge=1, le=100, description="At most so many")]


@dataclass(frozen=True, slots=True)
class Crm:
    """What the server offers, on top of its records."""

    records: CrmRecords

    async def search_customers(
        self,
        query: Annotated[str, Field(description="Part of a name, a company or an e-mail address")] = "",
        country: Annotated[str | None, Field(description="Two letters, for example DE")] = None,
        limit: Limit = 20,
    ) -> CustomerPage:
        """Find customers by name, company, e-mail address or country."""
        found = self.records.find_customers(query, country)
        return CustomerPage(customers=found[:limit], total=len(found))

    async def get_customer(self, customer_id: CustomerId) -> CustomerFile:
        """Get a customer with deals and notes."""
        try:
            return self.records.read_customer(customer_id)
        except KeyError:
            raise _unknown("customer", customer_id) from None

    async def get_deal(self, deal_id: DealId) -> Deal:
        """Get one deal."""
        try:
            return self.records.deals[deal_id]
        except KeyError:
            raise _unknown("deal", deal_id) from None

    async def list_open_deals(
        self, min_amount: Annotated[float, Field(ge=0, description="Smaller deals are left out")] = 0
    ) -> DealPage:
        """List the deals that are neither won nor lost."""
        found = self.records.find_open_deals(min_amount)
        return DealPage(deals=found, total=len(found))

    async def update_deal(
        self,
        deal_id: DealId,
        stage: Annotated[Stage | None, Field(description="The stage it is in now")] = None,
        amount: Annotated[float | None, Field(ge=0, description="In the deal's own currency")] = None,
    ) -> Deal:
        """Change the stage or the amount of a deal."""
        try:
            return self.records.update_deal(deal_id, stage, amount)
        except KeyError:
            raise _unknown("deal", deal_id) from None

    async def create_note(
        self,
        customer_id: CustomerId,
        text: Annotated[str, Field(min_length=1, max_length=4000, description="What to write down")],
    ) -> Note:
        """Write a note about a customer."""
        try:
            return self.records.add_note(customer_id, text)
        except KeyError:
            raise _unknown("customer", customer_id) from None

    async def delete_customer(self, customer_id: CustomerId) -> Deletion:
        """Delete a customer with all deals and notes; this cannot be undone."""
        try:
            return self.records.delete_customer(customer_id)
        except KeyError:
            raise _unknown("customer", customer_id) from None

    async def export_contacts(self, limit: Limit = 100) -> ContactList:
        """Export names, e-mail addresses and telephone numbers of all customers."""
        everybody = self.records.customers.values()
        contacts = [Contact(name=person.name, email=person.email, phone=person.phone) for person in everybody]
        return ContactList(contacts=contacts[:limit], total=len(contacts))

    async def read_resource(self, customer_id: str) -> str:
        """A customer with deals and notes, as JSON."""
        try:
            return self.records.read_customer(customer_id).model_dump_json()
        except KeyError:
            raise ResourceNotFoundError(f"unknown customer `{customer_id}`") from None

    async def summarize(self, customer_id: CustomerId) -> str:
        """Summarize what we know of a customer."""
        try:
            known = self.records.read_customer(customer_id)
        except KeyError:
            raise _unknown("customer", customer_id) from None
        return (
            "Summarize this customer in three sentences for a person who is about to call them. "
            f"Leave out what they do not need.\n\n{known.model_dump_json(indent=2)}"
        )

    async def complete(
        self,
        _ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        _context: CompletionContext | None,
    ) -> Completion | None:
        """Complete a customer's id; both the prompt and the resource have no other argument."""
        if argument.name != "customer_id":
            return None
        values = [customer_id for customer_id in self.records.customers if customer_id.startswith(argument.value)]
        return Completion(values=values[:_MAX_COMPLETIONS], total=len(values), has_more=len(values) > _MAX_COMPLETIONS)


def build_crm(records: CrmRecords | None = None) -> DescribedServer:
    """Build the CRM server."""
    crm = Crm(seed_crm() if records is None else records)
    server = DescribedServer(
        "agen-demo-crm",
        title="Demo CRM",
        instructions="Customers, deals and notes. All of it is invented.",
        version="1.0.0",
        log_level="WARNING",
    )
    for tool in (crm.search_customers, crm.get_customer, crm.get_deal, crm.list_open_deals, crm.export_contacts):
        server.add_tool(tool, annotations=reading())
    server.add_tool(crm.create_note, annotations=adding())
    server.add_tool(crm.update_deal, annotations=overwriting())
    server.add_tool(crm.delete_customer, annotations=overwriting())
    server.resource("customer://{customer_id}", name="customer", mime_type="application/json")(crm.read_resource)
    server.prompt("summarize")(crm.summarize)
    server.completion()(crm.complete)  # type: ignore[no-untyped-call]  # the SDK left it without annotations
    return server


def _unknown(kind: str, name: str) -> ToolError:
    return ToolError(f"unknown {kind} `{name}`")
