"""A caller or a stranger tries to stop all others: `make attack` shows what good callers got meanwhile."""
