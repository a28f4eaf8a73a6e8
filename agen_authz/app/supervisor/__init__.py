"""The supervisor: it starts the workers, watches over them, starts them again, and answers operators for all of them.

`birth.py` and `nursery.py` fork, `preparation.py` makes the store ready before any worker starts, `link.py` speaks with
the nursery. `place.py` keeps one worker running, `fleet.py` is all of them. `restart.py`, `standing.py` and `merge.py`
are what they decide by, as pure functions.
"""
