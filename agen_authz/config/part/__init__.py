"""What several sections are written with: selectors, conditions, scopes, URLs; each with its check."""
