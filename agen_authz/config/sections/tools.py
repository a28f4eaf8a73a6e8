"""`tools`: tool definitions and lists."""

from typing import Literal

from pydantic import Field

from agen_authz.config.reading.section import Section


class Tools(Section):
    """Tool definitions and lists."""

    pinning: Literal["off", "observe", "enforce"] = Field("observe", description="How tool definitions are pinned.")
    filter_lists: bool = Field(True, description="True if lists show only what the caller may call.")
