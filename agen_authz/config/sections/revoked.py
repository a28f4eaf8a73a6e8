"""`revoked`: what is refused at once, of every provider."""

from pydantic import Field

from agen_authz.config.reading.section import Lines, Section


class RevokedEntries(Section):
    """Keys, subjects and tokens that are refused immediately, whichever provider issued them."""

    kids: Lines = Field((), description="Key ids (`kid`); tokens that are signed with them are refused.")
    subjects: Lines = Field((), description="Subjects (`sub`); their tokens are refused.")
    jti: Lines = Field((), description="Token ids (`jti`).")
