"""The workers: `run.py` is a worker's life, `check.py` the one that decides, `process.py` those that inspect."""
