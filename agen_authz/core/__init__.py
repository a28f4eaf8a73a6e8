"""The decision and everything it rests on: values in, values out; no I/O, no clock, no randomness."""
