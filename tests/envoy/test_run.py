"""One Envoy as a child process: started, watched, ended; and where its binary is."""

from dataclasses import replace
from pathlib import Path

import pytest

from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import Gateway, TcpAddress, Unusable, Upstream
from agen_authz.envoy.run import LaunchError, start_envoy, stop_envoy
from tests.envoy.stand import crm
from tests.stage.envoy import launch_envoy
from tests.stage.port import HOST, reserve_port

pytestmark = pytest.mark.envoy


def _sidecar() -> Gateway:
    return Gateway(
        listener=TcpAddress(HOST, reserve_port()),
        resources=(crm(reserve_port()),),
        authz=Upstream(TcpAddress(HOST, reserve_port())),
        proc=Upstream(TcpAddress(HOST, reserve_port())),
        check_timeout_s=1.0,
        off_word="off",
    )


def test_a_second_envoy_on_a_port_is_one_clear_line(tmp_path: Path) -> None:
    first = launch_envoy(tmp_path, _sidecar())
    process = start_envoy(first)
    try:
        with pytest.raises(LaunchError, match=rf"\A`127.0.0.1:{first.listener.port}` is in use\Z"):
            start_envoy(replace(first, log_file=tmp_path / "second.log"))
    finally:
        stop_envoy(process)


def test_envoy_does_not_share_its_port(tmp_path: Path) -> None:
    first = launch_envoy(tmp_path, _sidecar())
    process = start_envoy(first)
    # It is told to look elsewhere, so that Envoy itself finds the port taken.
    second = replace(first, listener=TcpAddress(HOST, reserve_port()), log_file=tmp_path / "second.log")
    try:
        with pytest.raises(LaunchError, match=r"\AEnvoy ended with code 1: [^\n]*Address already in use"):
            start_envoy(second)
    finally:
        stop_envoy(process)


def test_a_stopped_envoy_may_be_stopped_again(tmp_path: Path) -> None:
    process = start_envoy(launch_envoy(tmp_path, _sidecar()))
    stop_envoy(process)
    stop_envoy(process)
    assert process.returncode == 0


def test_a_configuration_that_envoy_refuses_is_one_clear_line(tmp_path: Path) -> None:
    broken = launch_envoy(tmp_path, _sidecar())
    broken.config_file.write_text("static_resources: {listeners: 1}", encoding="utf-8")
    with pytest.raises(LaunchError, match=r"\AEnvoy ended with code 1: [^\n]*listeners[^\n]*\Z"):
        start_envoy(broken)


def test_an_envoy_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    elsewhere = replace(
        launch_envoy(tmp_path, _sidecar()), listener=TcpAddress(HOST, reserve_port()), start_timeout_s=0.2
    )
    with pytest.raises(LaunchError, match=r"\AEnvoy does not listen after 0.2 s"):
        start_envoy(elsewhere)


def test_a_binary_that_cannot_run_is_one_clear_line(tmp_path: Path) -> None:
    missing = replace(launch_envoy(tmp_path, _sidecar()), binary=tmp_path / "envoy")
    with pytest.raises(LaunchError, match=r"\Acannot run `[^`]*/envoy`: No such file or directory\Z"):
        start_envoy(missing)


def test_the_wheels_binary_comes_first() -> None:
    binary = find_binary()
    assert isinstance(binary, Path) and binary.parts[-3:] == ("envoy", "_bin", "envoy")


def test_a_binary_on_the_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "envoy"
    binary.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary("no_such_wheel") == binary


def test_no_binary_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = Unusable("no Envoy found", "install `agen-authz[demo]`, or put `envoy` 1.40 on the PATH")
    assert find_binary("no_such_wheel") == expected
