"""`tev key create`, `list` and `revoke`: manage API keys."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from app.api_keys import Scope
from app.cli.database import DatabaseOption, open_database
from app.clock import now
from app.errors import BrokenSetting

LONGEST_NAME = 100
Name = Annotated[str, typer.Argument(help="Whose key it is; the name is the author in the history of records.")]


commands = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@commands.command()
def create(
    name: Name,
    scope: Annotated[Scope, typer.Option(help="read, write or admin; each includes those before it.")],
    expires: Annotated[
        str | None, typer.Option(help="The first day (UTC) on which the key is no longer valid.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Create a key and print it; it is shown only once and stored only as its hash."""
    from app.settings import load_settings
    from app.store.write.keys import create_key

    expires_at = None if expires is None else _parse_expiry(expires)
    with open_database(load_settings(database_url=database)) as opened:
        key = create_key(opened, _clean_name(name), scope, expires_at=expires_at)
    until = f"until {expires_at}" if expires_at else "until it is revoked"
    print(f"Key for {name} with the scope {scope}, {until}. Keep it now: it cannot be shown again.")
    print(key)


@commands.command("list")
def list_all(database: DatabaseOption = None) -> None:
    """Print every key: its public part, scope, state and last use; never the key itself."""
    from app.settings import load_settings
    from app.store.read.keys import list_keys

    with open_database(load_settings(database_url=database)) as opened, opened.read() as connection:
        api_keys = list_keys(connection)
    for key in api_keys:
        print(f"{key.name}  tev_{key.id}_…  {key.scope}  {_state(key)}  last used: {key.last_used_at or 'never'}")
    print(f"{len(api_keys)} keys.")


@commands.command()
def revoke(name: Name, database: DatabaseOption = None) -> None:
    """Revoke a key at once and for ever."""
    from app.settings import load_settings
    from app.store.write.keys import revoke_key

    with open_database(load_settings(database_url=database)) as opened:
        revoke_key(opened, name)
    print(f"The key of {name} is revoked.")


def _clean_name(name: str) -> str:
    from app.models.types import clean_line

    try:
        clean = clean_line(name)
    except ValueError as failure:
        raise BrokenSetting(f"NAME: {failure}.") from failure
    if not 0 < len(clean) <= LONGEST_NAME:
        raise BrokenSetting(f"NAME: one to {LONGEST_NAME} characters are needed.")
    return clean


def _parse_expiry(day: str) -> str:
    """The start of a future day in UTC, as an ISO timestamp; BrokenSetting for a past or malformed day."""
    try:
        start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as failure:
        raise BrokenSetting(f"--expires is {day!r}; it must be a day such as 2027-01-01.") from failure
    if start <= datetime.now(UTC):
        raise BrokenSetting(f"--expires is {day}; that day is not in the future.")
    return start.strftime("%Y-%m-%dT%H:%M:%SZ")


def _state(api_key: Any) -> str:
    if api_key.revoked_at:
        return f"revoked {api_key.revoked_at}"
    if api_key.expires_at:
        return f"{'expired' if api_key.expires_at <= now() else 'expires'} {api_key.expires_at}"
    return "valid"
