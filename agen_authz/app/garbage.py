"""Python's garbage collector: how often it runs while calls are decided, and over what.

Nearly everything that a call makes is freed when its last reference goes; the collector is there for cycles only. Left
as it is, it runs after every 700 lists and objects, and sometimes walks over everything in the process: a hundred
thousand objects of libraries. Callers choose how many lists and objects a body has, so they would choose how often.
"""

import ctypes
import gc

# More than the lists and objects of one body (`limits.json_values`), so that hardly a call sees it run; few enough that
# a run over as many young objects takes some milliseconds.
_YOUNG_OBJECTS = 100_000
_YOUNG_RUNS, _OLDER_RUNS = 20, 50


def calm() -> None:
    """Let the collector run seldom, from now on."""
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_RUNS, _OLDER_RUNS)


def settle() -> None:
    """Once everything is built: take garbage away, and leave what is there out of every run from now on.

    Once in a process: what is frozen is freed with its last reference still, but a cycle in it is never found.
    """
    gc.collect()
    gc.freeze()


def shrink() -> None:
    """Give memory that is free back to the system, where the C library can: what a fork does not copy costs nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def sweep() -> None:
    """After a reload: take away what the old configuration leaves in cycles.

    It walks over what was built since `settle` only, so calls wait for milliseconds, not for a walk over every library.
    For the same reason what a reload builds is not frozen in its turn: the next one could not let go of it.
    """
    gc.collect()
