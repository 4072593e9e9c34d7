from pathlib import Path

import psycopg
import pytest
import redis

from stack.postgres import Postgres
from stack.valkey import Valkey

pytestmark = pytest.mark.once


@pytest.fixture
def own_valkey(tmp_path: Path):
    with Valkey(tmp_path / "valkey", log=tmp_path / "valkey.log") as server:
        yield server


def test_valkey_keeps_its_address_and_data_when_it_is_stopped(own_valkey: Valkey) -> None:
    with redis.Redis.from_url(own_valkey.url(3)) as client:
        client.set("kept", "yes")
        own_valkey.restart()
        assert client.get("kept") == b"yes"


def test_valkey_keeps_what_it_has_written_when_it_is_killed(own_valkey: Valkey) -> None:
    with redis.Redis.from_url(own_valkey.url()) as client:
        client.set("kept", "yes")
        client.waitaof(1, 0, 5_000)
        own_valkey.kill()
        own_valkey.start()
        assert client.get("kept") == b"yes"


def test_a_paused_valkey_accepts_connections_and_answers_nothing(own_valkey: Valkey) -> None:
    own_valkey.pause()
    with redis.Redis.from_url(own_valkey.url(), socket_timeout=0.2, retry=None) as client:
        with pytest.raises(redis.TimeoutError):
            client.ping()
        own_valkey.resume()
        assert client.ping()


def test_postgres_keeps_its_address_and_data_when_it_is_killed(postgres: Postgres) -> None:
    postgres.create_database("kept")
    with psycopg.connect(postgres.url("kept"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    postgres.kill()
    postgres.start()
    with psycopg.connect(postgres.url("kept")) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
