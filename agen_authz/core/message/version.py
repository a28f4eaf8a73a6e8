"""Protocol versions of MCP and the era that each belongs to."""

MODERN_VERSIONS = frozenset({"2026-07-28"})
LEGACY_VERSIONS = frozenset({"2025-11-25", "2025-06-18", "2025-03-26"})
SUPPORTED_VERSIONS = tuple(sorted(MODERN_VERSIONS | LEGACY_VERSIONS, reverse=True))
# What a request of the modern form can be repeated in: as `server/discover` lists it, no legacy version.
OFFERED_TO_MODERN = tuple(sorted(MODERN_VERSIONS, reverse=True))

# What a legacy request without a version header speaks (MCP 2025-11-25, transports, "Protocol version header").
ASSUMED_VERSION = "2025-03-26"
