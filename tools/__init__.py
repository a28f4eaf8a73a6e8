"""What the Makefile runs next to the usual tools."""
