"""What the states of the workers mean for the sidecar."""

import pytest

from agen_authz.app.supervisor.standing import Duty, Standing, WorkerState, judge, read_name, spell_name

PARTS = {"server": "serving", "policy_set": "v1", "provider corp": "ok"}
CHECK = Standing("check", Duty.CHECK, WorkerState.SERVING, version="v1", is_ready=True, parts=PARTS)
PROCESS = Standing("process", Duty.PROCESS, WorkerState.SERVING, version="v1", is_ready=True)
ENDED = Standing("process", Duty.PROCESS, WorkerState.ENDED, restarts=2)
STARTING = Standing("process", Duty.PROCESS, WorkerState.STARTING)
SILENT = Standing("process", Duty.PROCESS, WorkerState.SERVING, version="v1", silent_s=7.0, is_ready=True)
BEHIND = Standing("process", Duty.PROCESS, WorkerState.SERVING, version="v0", is_ready=True)
CONSOLE = Standing("console", Duty.CONSOLE, WorkerState.SERVING, version="v1", is_ready=True)
ENDED_CONSOLE = Standing("console", Duty.CONSOLE, WorkerState.ENDED)
SECOND = Standing("process-2", Duty.PROCESS, WorkerState.SERVING, version="v1", is_ready=True)


@pytest.mark.parametrize(
    ("standings", "is_ready"),
    [
        ((CHECK, PROCESS), True),
        ((CHECK, ENDED, SECOND), True),
        ((CHECK, SILENT, SECOND), True),
        ((CHECK, BEHIND), True),
        ((CHECK, PROCESS, CONSOLE), True),
        ((CHECK, PROCESS, ENDED_CONSOLE), True),
        ((CHECK, CONSOLE), False),
        ((CHECK,), False),
        ((PROCESS, SECOND), False),
        ((CHECK, ENDED), False),
        ((CHECK, STARTING), False),
        ((CHECK, SILENT), False),
        ((), False),
        ((Standing("check", Duty.CHECK, WorkerState.SERVING, version="v1"), PROCESS), False),
        ((Standing("check", Duty.CHECK, WorkerState.DRAINING, version="v1", is_ready=True), PROCESS), False),
        ((Standing("check", Duty.CHECK, WorkerState.SERVING, silent_s=4.0, is_ready=True), PROCESS), False),
    ],
)
def test_ready_if_the_one_that_decides_is_and_one_that_inspects_whatever_the_console_is(standings, is_ready):
    assert judge(standings, "v1", "none yet").is_ready is is_ready


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (PROCESS, "serving"),
        (ENDED, "ended, started again 2 times"),
        (STARTING, "starting"),
        (SILENT, "serving, but has not answered for 7 s"),
        (BEHIND, "serving, by policy set v0: it could not apply v1, see the log"),
        (Standing("process", Duty.PROCESS, WorkerState.SERVING, version="v1"), "not ready"),
        (Standing("process", Duty.PROCESS, WorkerState.DRAINING, version="v1", is_ready=True), "draining"),
    ],
)
def test_operators_are_told_how_each_worker_is(one, told):
    assert judge((CHECK, one), "v1", "ok").parts == {
        **PARTS,
        "reload": "ok",
        "worker check": "serving",
        "worker process": told,
    }


def test_what_a_worker_said_that_has_ended_is_not_shown():
    ended = Standing("check", Duty.CHECK, WorkerState.ENDED, parts=PARTS)
    assert judge((ended,), "v1", "ok").parts == {
        "server": "not serving",
        "policy_set": "v1",
        "reload": "ok",
        "worker check": "ended",
    }


@pytest.mark.parametrize(
    ("duty", "index", "name"), [(Duty.CHECK, 0, "check"), (Duty.PROCESS, 0, "process"), (Duty.PROCESS, 2, "process-3")]
)
def test_name_says_what_a_worker_is_for_and_which_it_is(duty, index, name):
    assert (spell_name(duty, index), read_name(name)) == (name, (duty, index))
