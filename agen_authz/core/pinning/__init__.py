"""What a server says of its tools: digested, compared with what was approved, and judged."""
