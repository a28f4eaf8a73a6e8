"""Conditions in CEL: compiled, examined before they load, evaluated within bounds."""
