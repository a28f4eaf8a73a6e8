"""`notifications`: how messages to people are sent."""

from pydantic import Field

from agen_authz.config.reading.section import Line, Section
from agen_authz.config.reading.unit import Count


class Notifications(Section):
    """How messages to people are sent."""

    email_url_file: Line | None = Field(
        None, description="The file with the Apprise mail URL that is used for people's own addresses."
    )
    max_per_hour: Count = Field(200, description="How many messages may be sent in an hour.")
