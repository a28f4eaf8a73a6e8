"""`tools`: tool definitions and lists."""

from typing import Literal

from pydantic import Field

from agen_authz.config.reading.section import Section


class Tools(Section):
    """Tool definitions and lists."""

    pinning: Literal["off", "observe", "enforce"] = Field("observe", description="How tool definitions are pinned.")
    arguments: Literal["check", "off"] | None = Field(
        None,
        description="`check` validates calls against the pinned inputSchema. The default is `check` if `pinning` is"
        " `enforce`, else `off`.",
    )
    filter_lists: bool = Field(True, description="True if lists show only what the caller may call.")
