"""One caller, or nobody at all, tries to stop everybody: `make attack` shows what good callers got meanwhile."""
