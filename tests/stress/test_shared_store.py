"""Two sidecars on one PostgreSQL, as replicas are: a database that fails stops no call that does not need it."""

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.adapters.database import STEPS
from tests.services import new_postgresql
from tests.stage.process import START_S
from tests.stress.sidecar import Plan, refused, running

pytestmark = [pytest.mark.services, pytest.mark.loopback]
RACERS = 2


def plan_in(folder: Path, url: str) -> Plan:
    folder.mkdir()
    (folder / "url").write_text(url + "\n")
    return Plan(folder, store=f'url_file: "{folder}/url"')


async def test_replicas_share_one_store_and_go_on_without_it_and_with_it_again(tmp_path):
    with new_postgresql() as server:
        async with AsyncExitStack() as stack:
            with server.running():
                starting = (
                    running(plan_in(tmp_path / str(at), server.url), subprocess.DEVNULL) for at in range(RACERS)
                )
                sidecars = await asyncio.gather(*(stack.enter_async_context(each) for each in starting))
                with psycopg.connect(server.url) as connection:
                    kept = connection.execute("SELECT count(*) FROM kept_value WHERE name = 'digest_key'").fetchone()
                seen = [(await each.ask(each.token())).is_allowed for each in sidecars]
            seen += [(await each.ask(each.token())).is_allowed for each in sidecars]
            with server.running():
                seen += [(await each.ask(each.token())).is_allowed for each in sidecars]
                for each in sidecars:
                    each.process.send_signal(signal.SIGTERM)
                    assert await asyncio.to_thread(each.process.wait, START_S) == 0
    assert (kept, seen) == ((1,), [True] * 3 * RACERS)
    assert not any("Traceback" in each.plan.log() for each in sidecars)


async def test_store_of_a_newer_version_is_refused_by_serve_and_by_migrate(tmp_path):
    with new_postgresql() as server, server.running():
        plan = plan_in(tmp_path / "one", server.url.replace("agen@", "agen:hush@"))
        async with running(plan, subprocess.DEVNULL):
            pass
        assert (await migrate(plan)) == (0, {"ok": True, "steps": []}, "")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        code, said = await refused(plan)
        assert (code, "the store was made by a newer version" in said, "hush" in said) == (1, True, False)
        code, told, _ = await migrate(plan)
        assert (code, told["problems"][0]["message"]) == (1, "the store was made by a newer version")


async def test_migrate_takes_the_steps_of_an_empty_database_and_serve_none_after_it(tmp_path):
    with new_postgresql() as server, server.running():
        plan = plan_in(tmp_path / "one", server.url)
        plan.issuer, plan.ops = "http://127.0.0.1:9", "127.0.0.1:9"
        plan.write()
        assert await migrate(plan) == (0, {"ok": True, "steps": STEPS}, "")
        assert await migrate(plan) == (0, {"ok": True, "steps": []}, "")


async def migrate(plan: Plan) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "agen_authz", "migrate", "--json", "--config", str(plan.config_file)]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, timeout=START_S)
    return ran.returncode, json.loads(ran.stdout), ran.stderr
