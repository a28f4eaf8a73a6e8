"""The composition root: configuration becomes values, adapters are built and passed to what needs them."""
