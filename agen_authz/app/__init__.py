"""The composition root: configuration becomes values, adapters are built and handed to whoever needs them."""
