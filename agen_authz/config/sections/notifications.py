"""`notifications`: how people are written to."""

from pydantic import Field

from agen_authz.config.reading.section import Line, Section
from agen_authz.config.reading.unit import Count


class Notifications(Section):
    """How people are written to."""

    email_url_file: Line | None = Field(None, description="Apprise mail URL for people's own addresses.")
    max_per_hour: Count = Field(200, description="Messages an hour, at most.")
