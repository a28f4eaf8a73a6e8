"""Which resource a request is for, whether its form is allowed, and where it comes from."""
