"""docs/backend-signatures.md shows what is signed and which checks there are."""

import re

from agen_authz.core.signature import MANDATORY
from agen_authz.verify import Check
from tests.signing.page import PAGE
from tests.signing.vectors import ACCEPTED, REFUSED, load

TEXT = PAGE.read_text("utf-8")
POST = load(ACCEPTED)[0]
# The sidecar's own verifier reads the headers as well, into a typed identity.
OF_PYTHON = {Check.IDENTITY}


def test_page_shows_a_request_and_what_is_signed_of_it():
    lines = [f"{POST.method} {POST.target} HTTP/1.1", *(f"{name}: {value}" for name, value in POST.headers), ""]
    assert f"```http\n{chr(10).join(lines)}\n{POST.body.decode()}\n```" in TEXT
    assert f"```text\n{POST.signed_text}\n```" in TEXT


def test_page_lists_the_checks_in_the_order_in_which_they_are_made():
    listed = re.findall(r"^\| \d+ \| `([a-z-]+)` \|", TEXT, flags=re.MULTILINE)
    assert listed == [check.value for check in Check if check not in OF_PYTHON]
    assert {check for vector in load(REFUSED) for check in vector.refused} == set(listed)


def test_page_counts_the_mandatory_components():
    assert len(MANDATORY) == 12 and "These twelve are mandatory" in TEXT


def test_page_names_every_member_of_a_vector():
    listed = re.findall(r"^\| `([a-z_]+)` \|", TEXT.partition("## Test vectors")[2], flags=re.MULTILINE)
    assert listed == [
        "keys", "resource", "components", "now", "sent_before", "request", "signature_base", "identity", "refused",
    ]  # fmt: skip
