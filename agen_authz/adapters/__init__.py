"""Implementations of the ports with real clocks, networks, files and databases; none imports another."""
