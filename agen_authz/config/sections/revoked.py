"""`revoked`: what is refused at once, of every provider."""

from pydantic import Field

from agen_authz.config.reading.section import Lines, Section


class RevokedEntries(Section):
    """What is refused at once, of every provider."""

    kids: Lines = Field((), description="Key ids.")
    subjects: Lines = Field((), description="Subjects.")
    jti: Lines = Field((), description="Token ids.")
