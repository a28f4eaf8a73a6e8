"""How well masking detects, on a generated corpus next to Presidio's recognizers, and what it costs."""
