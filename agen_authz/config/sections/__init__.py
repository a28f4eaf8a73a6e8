"""One file for each section of the configuration: its keys, defaults and meaning, and what they must agree with."""
