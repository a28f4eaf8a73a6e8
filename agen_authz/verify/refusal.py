"""Why a request is not accepted: for the operator's log, never for the caller."""

from enum import StrEnum


class Check(StrEnum):
    """The check that refused a request; they are listed in their order."""

    HEADERS = "headers"
    SIGNATURE_INPUT = "signature-input"
    TAG = "tag"
    ALGORITHM = "algorithm"
    KEY = "key"
    TIME = "time"
    COMPONENTS = "components"
    SIGNATURE = "signature"
    RESOURCE = "resource"
    IDENTITY = "identity"
    CONTENT_DIGEST = "content-digest"
    NONCE = "nonce"


class NotVerified(Exception):
    """A request that did not come through the gateway as it arrived here.

    The message names the check that failed and no value of the request: it may be logged as it is. The caller is
    told nothing.
    """

    def __init__(self, check: Check, detail: str) -> None:
        super().__init__(f"{check}: {detail}")
        self.check = check
        self.detail = detail
