"""Backups: whole, of one moment, tried by restoring; and put back without losing what is there."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.api_keys import key_digest
from app.db.database import Database
from app.db.schema import newest_schema
from app.errors import BrokenSetting
from app.main import create_app
from app.models import RESOURCES
from app.releases.backups import back_up, database_content, restore, verified
from app.settings import Settings
from app.store.write.keys import create_key
from app.store.write.save import save_all
from tests.support.commands import tev


def save(database: Database, *ids: str) -> None:
    condition = RESOURCES["conditions"].record_class()
    save_all(database, [condition.model_validate({"id": one, "name": f"made-up {one}"}) for one in ids], author="test")


def ids_in(file: Path) -> set[str]:
    with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as raw:
        return {found for (found,) in raw.execute("SELECT id FROM condition")}


@pytest.fixture
def small_database(tmp_path: Path) -> Iterator[Database]:
    """A database with one record and one key."""
    database = Database(f"sqlite:///{tmp_path}/ours.db")
    database.migrate()
    save(database, "first")
    yield database
    database.close()


def file_of(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


def partials(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if "partial" in path.name]


def test_a_backup_is_one_file_with_everything_and_comes_back(small_database: Database, tmp_path: Path) -> None:
    key = create_key(small_database, "made-up editor", "write")
    file = tmp_path / "backup.db"
    content = back_up(file_of(small_database), file)
    assert (content.schema, content.revision, content.rows["condition"]) == (newest_schema(), 1, 1)
    assert file.stat().st_mode & 0o777 == 0o600, "it holds the hashes of keys"
    assert key_digest(key).encode() in file.read_bytes()
    restored, aside = restore(f"sqlite:///{tmp_path}/new/other.db", file, replace=False)
    assert (restored, aside) == (content, None)
    with TestClient(create_app(Settings(database_url=f"sqlite:///{tmp_path}/new/other.db"))) as client:
        assert client.get("/v1/conditions/first").json()["name"] == "made-up first"
        assert client.get("/v1/conditions", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert not partials(tmp_path)


def test_a_backup_shows_one_moment_while_others_write(
    small_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.releases.backups.PAGES_AT_ONCE", 20)
    steps: list[int] = []

    def write_meanwhile(left: int, _every: int) -> None:
        steps.append(left)
        save(small_database, f"later-{len(steps)}")

    file = tmp_path / "backup.db"
    content = back_up(file_of(small_database), file, write_meanwhile)
    assert len(steps) > 2
    assert steps == sorted(steps, reverse=True), "a write makes nobody begin again"
    assert content.revision == 1
    assert ids_in(file) == {"first"}
    assert len(ids_in_database(small_database)) == 1 + len(steps)


def ids_in_database(database: Database) -> set[str]:
    with database.read() as connection:
        return {row[0] for row in connection.exec_driver_sql("SELECT id FROM condition")}


def test_a_backup_overwrites_nothing(small_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    file.write_text("somebody's own")
    with pytest.raises(BrokenSetting, match="overwrites nothing"):
        back_up(file_of(small_database), file)
    assert file.read_text() == "somebody's own"


def test_a_damaged_database_is_not_taken_for_a_backup(small_database: Database, tmp_path: Path) -> None:
    source = file_of(small_database)
    save(small_database, *(f"made-up-{number}" for number in range(200)))
    small_database.close()
    with closing(sqlite3.connect(source)) as raw:
        page = raw.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_edition_record'").fetchone()[0]
        size = raw.execute("PRAGMA page_size").fetchone()[0]
    spoil(source, (page - 1) * size)
    with pytest.raises(BrokenSetting, match="damaged"):
        back_up(source, tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
    assert not partials(tmp_path)


def spoil(file: Path, start: int) -> None:
    with file.open("r+b") as raw:
        raw.seek(start)
        raw.write(b"\xa5" * 2048)


def nothing_there(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def no_database(file: Path) -> None:
    file.write_text("no database at all, although it is long enough" * 100)


def another(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE notes (words TEXT)")


def later(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()


def pointing_to_nothing(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("DELETE FROM revision")
        raw.commit()


def with_a_log(file: Path) -> None:
    file.with_name(f"{file.name}-wal").write_bytes(b"x")


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        (nothing_there, "There is no file"),
        (emptied, "not a backup of this program"),
        (cut, "not a backup of this program|damaged"),
        (no_database, "not a backup of this program"),
        (another, "not a backup of this program"),
        (later, "schema 9999, which this program does not know"),
        (pointing_to_nothing, "points to no row of revision"),
        (with_a_log, "this is a database, and no backup"),
        (lambda file: spoil(file, 100), "not a backup of this program|damaged"),
    ],
    ids=["none", "empty", "cut", "text", "another", "later", "pointing", "log", "spoiled"],
)
def test_what_is_no_sound_backup_is_refused_and_the_database_stays(
    small_database: Database, tmp_path: Path, spoiled: Callable[[Path], None], words: str
) -> None:
    file = tmp_path / "backup.db"
    back_up(file_of(small_database), file)
    save(small_database, "second")
    spoiled(file)
    small_database.close()
    with pytest.raises(BrokenSetting, match=words):
        restore(small_database.url, file, replace=True)
    assert ids_in_database(small_database) == {"first", "second"}
    assert not partials(tmp_path)


def test_records_are_replaced_only_when_that_is_said_and_are_kept_aside(
    small_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    back_up(file_of(small_database), file)
    save(small_database, "second")
    small_database.close()
    with pytest.raises(BrokenSetting, match="Say --replace"):
        restore(small_database.url, file, replace=False)
    file_of(small_database).chmod(0o640)
    _, aside = restore(small_database.url, file, replace=True)
    assert aside is not None
    assert ids_in(aside) == {"first", "second"}
    assert verified(aside).revision == 2
    assert ids_in_database(small_database) == {"first"}
    assert file_of(small_database).stat().st_mode & 0o777 == 0o640, "whoever could open it before can open it again"


def test_a_database_without_records_may_be_replaced(small_database: Database, tmp_path: Path) -> None:
    back_up(file_of(small_database), tmp_path / "backup.db")
    empty = Database(f"sqlite:///{tmp_path}/empty.db")
    empty.migrate()
    empty.close()
    (tmp_path / "zero.db").touch()
    for name in ("empty.db", "zero.db"):
        restore(f"sqlite:///{tmp_path}/{name}", tmp_path / "backup.db", replace=False)
        assert ids_in(tmp_path / name) == {"first"}


def test_a_damaged_database_can_be_replaced_and_its_log_goes_with_it(small_database: Database, tmp_path: Path) -> None:
    file, target = tmp_path / "backup.db", file_of(small_database)
    back_up(target, file)
    small_database.close()
    log = target.with_name("ours.db-wal")
    spoil(target, 100)  # behind the header, which says that a log may lie beside it
    log.write_bytes(b"made-up log" * 100)
    with pytest.raises(BrokenSetting, match="--replace"):
        restore(small_database.url, file, replace=False)
    _, aside = restore(small_database.url, file, replace=True)
    assert aside is not None
    assert aside.read_bytes()[100:2148] == b"\xa5" * 2048
    assert not log.exists(), "the log of another database would damage this one"
    assert ids_in_database(small_database) == {"first"}


def test_a_database_that_is_served_is_not_replaced(small_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    back_up(file_of(small_database), file)
    small_database.close()
    with TestClient(create_app(Settings(database_url=small_database.url))) as client:
        with pytest.raises(BrokenSetting, match="Stop the service first"):
            restore(small_database.url, file, replace=True)
        assert client.get("/v1/conditions/first").status_code == 200
    restore(small_database.url, file, replace=True)
    with closing(sqlite3.connect(file_of(small_database))) as raw:
        assert database_content(raw).revision == 1


# The commands


def test_the_commands_say_what_they_did(small_database: Database, tmp_path: Path) -> None:
    at, file = ("--database", small_database.url), str(tmp_path / "backup.db")
    made = tev("backup", file, *at)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(
        f"Backup {file} of {file_of(small_database)}: dataset revision 1, schema {newest_schema()}, "
    )
    assert "Restored into a scratch file and compared: the same, and sound." in made.stdout
    small_database.close()
    back = tev("restore", file, "--replace", *at)
    assert back.returncode == 0, back.stderr
    assert back.stdout.startswith(f"Restored {file_of(small_database)} from {file}: dataset revision 1, ")
    assert f"The database that was there: {file_of(small_database)}.before-" in back.stdout


def test_postgresql_has_its_own_programs_and_the_password_is_not_said() -> None:
    for words in (["backup", "x.db"], ["restore", "x.db"]):
        refused = tev(*words, "--database", "postgresql+psycopg://u:made-up-secret@127.0.0.1:1/x")
        assert refused.returncode == 1
        assert "pg_dump --format=custom" in refused.stderr
        assert "pg_restore" in refused.stderr
        assert "made-up-secret" not in refused.stderr


def test_a_backup_to_where_nothing_can_be_is_one_clear_line(small_database: Database) -> None:
    refused = tev("backup", "/dev/null/x.db", "--database", small_database.url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("tev: ")
    assert "Traceback" not in refused.stderr
