"""URLs of PostgreSQL: what they must say, what is refused, and that no password is ever shown."""

import subprocess
import sys
from pathlib import Path

import pytest

from agen_authz.adapters.store import find_obstacle, list_drivers, migrate, open_store
from agen_authz.adapters.store.postgresql_url import DatabaseUrl, read_database_url
from agen_authz.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
SHAPE = "use postgresql://user@host:5432/database"
REFUSED = {
    "no database": ("postgresql://ann:hush@db", "the URL names no database", SHAPE),
    "empty database": ("postgresql://ann:hush@db/", "the URL names no database", SHAPE),
    "two databases": ("postgresql://ann:hush@db/one/two", "the URL names no database", SHAPE),
    "no user": ("postgresql://db/agen", "the URL names no user", SHAPE),
    "no host": ("postgresql://ann:hush@/agen", "the URL names no host", SHAPE),
    "port that is none": ("postgresql://ann:hush@db:x/agen", "not the URL of a PostgreSQL database", SHAPE),
    "two hosts": ("postgresql://ann:hush@a:1,b:2/agen", "not the URL of a PostgreSQL database", SHAPE),
    "driver": ("postgresql+psycopg://ann:hush@db/agen", "not the URL of a store", ""),
    "fragment": ("postgresql://ann:hush@db/agen#x", "not the URL of a PostgreSQL database", SHAPE),
    "NUL": ("postgresql://ann:hush@db/a%00", "the URL names no database", SHAPE),
    "option": ("postgresql://ann@db/agen?password=hush", "the URL has an option that is not known, or one twice", ""),
    "option twice": (
        "postgresql://ann:hush@db/agen?sslmode=disable&sslmode=require",
        "the URL has an option that is not known, or one twice",
        "use only host, sslmode, sslrootcert, sslcert, sslkey",
    ),
    "mode that falls back": (
        "postgresql://ann:hush@db/agen?sslmode=prefer",
        "the URL has an `sslmode` that is not known, or may end without TLS",
        "use disable, require, verify-ca, verify-full",
    ),
    "key without certificate": (
        "postgresql://ann:hush@db/agen?sslkey=/key",
        "the URL has `sslkey` without `sslcert`",
        "name both files",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_url_is_refused_and_not_shown(name):
    url, message, cure = REFUSED[name]
    found, problems = find_obstacle(url), []
    with pytest.raises(ConfigError) as refused:
        open_store(url, 1.0)
    problems += [found, *refused.value.problems]
    with pytest.raises(ConfigError) as refused:
        await migrate(url)
    problems += refused.value.problems
    assert len({str(each) for each in problems}) == 1 and found is not None
    assert (found.message, cure in found.cure, "hush" in repr(found)) == (message, True, False)


def test_url_is_read_whole_and_its_password_is_not_shown():
    read = read_database_url("postgresql://a%40b:p%2Fw@db.example.com:6000/my%20db?sslmode=require")
    expected = DatabaseUrl("db.example.com", 6000, "a@b", "my db", "p/w", {"sslmode": "require"})
    assert (read, read.name, "p/w" in repr(read)) == (expected, "db.example.com:6000/my db", False)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u@db.example.com/d", "verify-full"),
        ("postgresql://u@10.0.0.1/d", "verify-full"),
        ("postgresql://u@localhost.example.com/d", "verify-full"),
        ("postgresql://u@localhost/d", "disable"),
        ("postgresql://u@127.0.0.2/d", "disable"),
        ("postgresql://u@[::1]/d", "disable"),
        ("postgresql://u@[::1]/d?sslmode=verify-full", "verify-full"),
        ("postgresql://u@/d?host=/run/postgresql", "disable"),
    ],
)
def test_connections_to_another_machine_are_encrypted_and_verified_unless_the_url_asks_for_less(url, mode):
    assert read_database_url(url).mode == mode


def test_file_of_certificates_that_cannot_be_used_is_reported(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for file, why in (("ca.pem", "not PEM"), ("missing.pem", "No such file or directory")):
        problem = find_obstacle(f"postgresql://u@db/d?sslrootcert={tmp_path}/{file}")
        assert problem is not None and why in problem.message
    assert find_obstacle("postgresql://u@db/d") is None


def test_driver_that_is_not_installed_is_named_with_the_cure():
    code = (
        "import sys; sys.modules['asyncpg'] = None\n"
        "from agen_authz.adapters.store import find_obstacle, list_drivers\n"
        "url = 'postgresql://agen:hush@db.example.com/agen'\n"
        "print(find_obstacle(url), list_drivers(url))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    expected = (
        "db.example.com:5432/agen: store.url: the driver of PostgreSQL is not installed; "
        "install it: pip install agen-authz[postgres] ()\n"
    )
    assert ran.stdout == expected


def test_driver_is_loaded_before_the_first_fork():
    assert find_obstacle("postgresql://u@db/d") is None
    assert "asyncpg" in list_drivers("postgresql://u@db/d")
