"""Benchmarks: ratios within one run, never absolute promises; never part of the tests."""
