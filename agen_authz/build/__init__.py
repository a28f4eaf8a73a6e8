"""Configuration becomes the values that requests are decided by; nothing here reads or listens."""
