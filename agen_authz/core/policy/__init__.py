"""What a caller may do: access rules, policies with their conditions, step-up."""
