"""Settings of the service, read from `TEV_…` environment variables and validated."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.errors import BrokenSetting, nearest

PREFIX = "TEV_"
OFF = "off"
"""The value of a rate limit setting that switches the limit off."""
DEFAULT_RATES = ("60000/minute", "30/minute")
"""The default rate limits of writes, and of wrong keys."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # the addresses that listen on every interface

HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
"""A host name, a wildcard for its subdomains, or an IPv6 address in brackets."""


class Settings(BaseModel):
    """The settings of an operator. An unknown or invalid `TEV_…` variable stops the start."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    database_url: str = Field(
        default="sqlite:///tev.db",
        description="Where the records are: `sqlite:///file`, a plain file name, or `postgresql+psycopg://…`.",
    )
    releases: str = Field(
        default="",
        description="The folder of the releases' files. Default: `releases` beside the SQLite file, else `./releases`.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="The port to listen on.")
    workers: int = Field(default=1, ge=1, le=64, description="How many processes serve.")
    public_url: str = Field(
        default="", description="The address that readers use, for absolute links. Default: `http://host:port`."
    )
    allowed_hosts: str = Field(
        default="",
        description="The hosts to answer for, with commas between: `api.example.org,*.example.net`. Empty: any.",
    )
    contact_url: str = Field(
        default="",
        description="Where a reader reports an error; `record` and `version` are added as parameters. Empty: no link.",
    )
    query_seconds: float = Field(
        default=1.0, gt=0, le=60, description="After this many seconds a query is cut off with a 503."
    )
    read_threads: int = Field(default=8, ge=1, le=64, description="How many reads may wait for the database at once.")
    rate_writes: str = Field(
        default=DEFAULT_RATES[0], description="How much a key may write: `100/second`, `60000/minute`, … or `off`."
    )
    rate_reads: str = Field(
        default=OFF, description="How much an address, or a key, may read: `600/minute`, … or `off`."
    )
    rate_failures: str = Field(
        default=DEFAULT_RATES[1], description="How many wrong keys an address may send: `30/minute`, … or `off`."
    )
    rate_storage: str = Field(
        default="memory://",
        description="Where that is counted: `memory://`, by each process for itself, or `redis://host:6379/0`.",
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        default="warning", description="How much is logged, as JSON on standard error."
    )
    access_log: bool = Field(
        default=False,
        description="Log each request: its id, method, route, status and time; no address, no parameters.",
    )
    metrics: bool = Field(
        default=False, description="Answer `/metrics` in the format of Prometheus, to whoever can reach it."
    )

    @model_validator(mode="before")
    @classmethod
    def _variables_come_first(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The variables that are set and not empty; what the caller says goes before them."""
        variables = {name.upper(): value for name, value in os.environ.items() if value}
        names = {name: f"{PREFIX}{name.upper()}" for name in cls.model_fields}
        return {name: variables[variable] for name, variable in names.items() if variable in variables} | values

    @field_validator("database_url")
    @classmethod
    def _database_is_supported(cls, value: str) -> str:
        return database_url(value)

    @field_validator("public_url", "contact_url")
    @classmethod
    def _url_is_absolute(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_names(cls, value: str) -> str:
        names = [name.strip().lower() for name in value.split(",") if name.strip()]
        invalid = next((name for name in names if not HOST.fullmatch(name)), None)
        if invalid is not None:
            raise ValueError(f"{invalid!r} is no host; write names such as api.example.org or *.example.org, no ports")
        return ",".join(names)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that the service answers for; empty: any."""
        return tuple(self.allowed_hosts.split(",")) if self.allowed_hosts else ()

    @field_validator("rate_writes", "rate_reads", "rate_failures")
    @classmethod
    def _rate_can_be_parsed(cls, value: str) -> str:
        if value not in (OFF, *DEFAULT_RATES):
            from limits import parse  # noqa: PLC0415  # a start with the default rates needs no parser of rates

            try:
                amount = parse(value).amount
            except ValueError:
                amount = 0
            if amount < 1:
                raise ValueError("must be a number of requests in a time, as 60000/minute, or off")
        return value

    @field_validator("rate_storage")
    @classmethod
    def _rates_can_be_counted(cls, value: str) -> str:
        if value == "memory://":
            return value
        if not value.startswith(("redis://", "rediss://")):
            raise ValueError("must be memory://, redis://host:port/number or rediss://host:port/number")
        if find_spec("redis") is None:
            raise ValueError("needs the package redis, which is not installed: pip install redis")
        return value

    @model_validator(mode="after")
    def _public_url_follows_the_port(self) -> Self:
        if not self.public_url:
            host = "127.0.0.1" if self.host in EVERYWHERE else self.host
            self.public_url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return self

    @model_validator(mode="after")
    def _releases_lie_beside_the_database(self) -> Self:
        if not self.releases:
            file = self.database_url.removeprefix("sqlite:///") if self.database_url.startswith("sqlite") else ""
            self.releases = str(Path(file).parent / "releases")
        return self


def database_url(value: str) -> str:
    """A database URL in full; a plain file name means SQLite. ValueError for other engines."""
    if "://" not in value:
        return f"sqlite:///{Path(value)}"
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must be sqlite:///file, a file name, or postgresql+psycopg://user@host/name")
    if value in ("sqlite:///", "sqlite:///:memory:"):
        raise ValueError("SQLite needs a file: several connections share it")
    return value


def load_settings(**overrides: object) -> Settings:
    """Load the settings from the environment and `overrides`; BrokenSetting names the invalid one and the reason."""
    names = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for variable in os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper() not in names:
            close = nearest(variable.upper(), names)
            hint = f" Did you mean {close}?" if close else ""
            raise BrokenSetting(f"{variable} is not a setting.{hint} Settings: {', '.join(sorted(names))}.")
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as failure:
        error = failure.errors()[0]
        name = str(error["loc"][0]) if error["loc"] else "?"
        message = error["msg"].removeprefix("Value error, ")
        raise BrokenSetting(f"{PREFIX}{name.upper()}={error['input']!r}: {message}") from failure
