"""JSON pointers (RFC 6901 section 3), as rules and flows write them."""

import re

POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
