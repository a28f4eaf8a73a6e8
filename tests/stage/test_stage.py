"""The stage itself: ports that stay ours, and processes whose last lines are seen when they fail."""

import socket
import sys
from contextlib import closing

import pytest

from agen_authz.demo.listen import bind_loopback
from tests.stage.port import HOST, is_listening, reserve_port
from tests.stage.process import end, is_answering, running
from tests.stage.talk import talking

pytestmark = pytest.mark.loopback
# More than enough to meet a port that were free: the kernel draws from fewer than 30,000.
DRAWS = 2000


def test_reserved_port_is_not_given_away_and_refuses_until_its_server_listens():
    ports = {reserve_port() for _ in range(100)}
    drawn = set()
    for _ in range(DRAWS):
        with socket.socket() as asking:
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            asking.bind((HOST, 0))
            drawn.add(asking.getsockname()[1])
    (first, *_) = ports
    before = is_listening(first)
    with closing(bind_loopback(HOST, first)):
        meanwhile = is_listening(first)
    # As a sidecar that is ended and started again.
    with closing(bind_loopback(HOST, first)):
        again = is_listening(first)
    assert (len(ports), ports & drawn, before, meanwhile, again) == (100, set(), False, True, True)


def test_process_that_ends_shows_its_last_lines(tmp_path):
    code = "print('first'); print('what went wrong'); raise SystemExit(3)"
    failed = pytest.raises(AssertionError, match=r"ended with code 3:\nfirst\nwhat went wrong\Z")
    with failed, running([sys.executable, "-c", code], tmp_path / "log", lambda: False):
        pass


def test_process_is_ready_on_entry_and_ended_on_exit(tmp_path):
    log = tmp_path / "log"
    code = "import time; print('ready', flush=True); time.sleep(600)"
    with running([sys.executable, "-c", code], log, lambda: "ready" in log.read_text()) as process:
        assert process.poll() is None
    assert process.returncode == -15
    end(process)


def test_nothing_answers_if_no_server_listens():
    assert is_answering(f"http://{HOST}:{reserve_port()}/readyz") is False


ECHO = "import sys; print('ready', flush=True); print(sys.stdin.readline() * 2, end='', flush=True); print('bye')"


def test_process_is_talked_with_and_its_end_is_read(tmp_path):
    with talking([sys.executable, "-c", ECHO], tmp_path / "echo.log") as talk:
        assert talk.read_line() == "ready"
        talk.say(b"again\n")
        assert talk.read(6) == b"again\n"
        assert talk.read_rest() == (0, "again\nbye\n", "")


def test_process_that_ends_before_its_line_shows_the_last_lines_of_its_log(tmp_path):
    code = "import sys; print('half', end=''); sys.exit('what went wrong')"
    failed = pytest.raises(AssertionError, match=r"broken ended with code 1:\nwhat went wrong")
    with talking([sys.executable, "-c", code], tmp_path / "broken.log") as talk, failed:
        talk.read_line()


def test_process_that_is_talked_with_ends_with_its_test(tmp_path):
    code = "import time; print('ready', flush=True); time.sleep(600)"
    with talking([sys.executable, "-c", code], tmp_path / "sleeping.log") as talk:
        talk.read_line()
    assert talk.process.returncode == -15
