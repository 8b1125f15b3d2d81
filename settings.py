"""Every setting, with its unit in its name: environment variables `UNMASK_…` and a `.env` file.

Only `workers.app`, `producer.__main__`, `infra.resources` and `flowerconfig` read this module.
"""

import ipaddress
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from unmask.errors import Unusable

PREFIX = "UNMASK_"
ENV_FILE = ".env"
#: What the library and the benches read themselves.
ELSEWHERE = {"UNMASK_DATA", "UNMASK_SEARCH_STORAGE", "UNMASK_YUNET_WEIGHTS"}


def _listed(value: object) -> object:
    """`80,443` and `[80, 443]` say the same."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [one.strip() for one in value.split(",") if one.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('give a list as `one,two` or `["one", "two"]`') from None


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError(f"{error}; a network looks like 10.1.0.0/16") from None


def _redis(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("redis://", "rediss://")):
        raise ValueError("an address looks like redis://:password@host:6379/0 (rediss:// for TLS)")
    return value


def _database(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(
        ("sqlite:///", "postgresql://", "postgresql+psycopg://")
    ):
        raise ValueError("say sqlite:///a/file.db or postgresql://user:password@host/database")
    return value


def _store(value: str) -> str:
    if re.match(r"[a-z0-9]+:", value) and not value.startswith(("s3://", "file:///")):
        raise ValueError("give a folder or s3://bucket/prefix")
    return value


def _device(value: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
        raise ValueError("say `auto`, `cpu`, `cuda` or `cuda:1`")
    return value


Listed = (NoDecode, BeforeValidator(_listed))
Names = Annotated[tuple[str, ...], *Listed]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], *Listed]
Port = Annotated[int, Field(ge=1, le=65535)]
Ports = Annotated[tuple[Port, ...], *Listed]


class Settings(BaseSettings):
    """Checked against each other at start, so that a bad pair stops here, not at item 1,000,000."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True
    )

    #: Where Redis is: `redis://:password@host:port/0`, or `rediss://` for TLS.
    redis_url: Annotated[SecretStr, AfterValidator(_redis)] = SecretStr("redis://127.0.0.1:6379/0")
    #: The ledger: `sqlite:///path` or `postgresql+psycopg://user:password@host/db`.
    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr(
        "sqlite:///state/unmask.db"
    )
    #: Object storage: a folder, or `s3://bucket/prefix`.
    store_url: Annotated[str, AfterValidator(_store)] = "state/objects"
    #: Encrypts a folder store: base64 of 32 bytes; several, the newest first.
    store_key: SecretStr | None = None
    s3_endpoint_url: str | None = None
    s3_path_style: bool = False
    s3_encryption: Literal["none", "AES256", "aws:kms"] = "none"
    s3_kms_key: str | None = None
    #: Buckets whose `s3://` addresses may be scanned.
    s3_source_buckets: Names = ()

    #: Where model bundles lie, one folder each.
    models_dir: Path = Path("models")
    #: `auto`, `cpu`, `cuda` or `cuda:N`.
    device: Annotated[str, AfterValidator(_device)] = "auto"

    #: Items on offer at once, per stage: all that Redis ever holds.
    window_items: int = Field(default=200, ge=1)
    #: An offer nobody took is made again after this long.
    offer_lease_s: float = Field(default=45, gt=0)
    #: How often the sweep looks.
    sweep_every_s: float = Field(default=0.5, gt=0)
    #: A worker that is silent for this long has lost its item.
    lease_s: float = Field(default=60, gt=0)
    #: How often a live worker renews its lease.
    heartbeat_s: float = Field(default=15, gt=0)

    #: One item in the CPU stage: at the first it is told to stop, at the second it is killed.
    extract_soft_limit_s: int = Field(default=600, ge=1)
    extract_hard_limit_s: int = Field(default=660, ge=1)
    #: One item in the GPU stage.
    classify_deadline_s: int = Field(default=600, ge=1)
    #: Redis hands a message out again after this long without an acknowledgement.
    visibility_timeout_s: int = Field(default=3600, ge=1)
    #: A worker told to stop may finish what it holds for this long.
    drain_s: float = Field(default=30, ge=0)
    #: For fault tests only: lets the time limits contradict each other.
    allow_contradicting_timeouts: bool = False

    #: What one item may cost to fetch and decode.
    download_max_bytes: int = Field(default=4 << 30, ge=1)
    download_deadline_s: float = Field(default=300, gt=0)
    decode_deadline_s: float = Field(default=240, gt=0)
    media_max_duration_s: float = Field(default=6 * 3600, gt=0)
    media_max_pixels: int = Field(default=64_000_000, ge=1)
    #: Ports that may be visited, and private networks that are opened on purpose.
    download_ports: Ports = (80, 443)
    download_allow_networks: Networks = ()

    #: What the whole fleet together asks of one host at most, redirects to it included; 0 sets no
    #: limit.
    host_connections: int = Field(default=8, ge=0)
    host_per_s: float = Field(default=0, ge=0)
    #: A host that failed three times in a row rests this long, then twice as long, and so on.
    host_rest_s: float = Field(default=30, ge=0)
    #: A host that failed for so long without one success is given up.
    host_give_up_s: float = Field(default=3600, gt=0)
    #: Names that are looked up, and `host:port` that is connected to, before a campaign is paused
    #: because nothing answers; one that answers shows that the network works.
    network_probes: Names = ("example.com",)

    #: Pool processes of a CPU worker; 0 is one per core that it may use but one.
    cpu_processes: int = Field(default=0, ge=0)
    #: Items that a GPU worker holds at once.
    gpu_items: int = Field(default=16, ge=1)
    #: Torch threads where the classifier runs on the CPU; 0 leaves it to torch.
    gpu_threads: int = Field(default=0, ge=0)

    #: Who may open Flower; without it Flower serves loopback only.
    flower_user: str = "unmask"
    flower_password: SecretStr | None = None
    flower_address: str = "127.0.0.1"
    flower_port: int = Field(default=5555, ge=0, le=65535)

    #: Where Prometheus reads the exporter; its figures name campaigns, so keep it inside.
    exporter_address: str = "127.0.0.1"
    exporter_port: int = Field(default=9540, ge=1, le=65535)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.allow_contradicting_timeouts:
            for smaller, larger in ORDER:
                if not getattr(self, smaller) < getattr(self, larger):
                    raise ValueError(
                        f"{_variable(smaller)}={getattr(self, smaller)} must be below "
                        f"{_variable(larger)}={getattr(self, larger)}"
                    )
        return self


#: Each must be smaller than the next; the reason is in the fields' own words.
ORDER = (
    ("heartbeat_s", "lease_s"),
    ("sweep_every_s", "offer_lease_s"),
    ("decode_deadline_s", "extract_soft_limit_s"),
    ("download_deadline_s", "extract_soft_limit_s"),
    ("extract_soft_limit_s", "extract_hard_limit_s"),
    ("extract_hard_limit_s", "visibility_timeout_s"),
    ("classify_deadline_s", "visibility_timeout_s"),
    ("offer_lease_s", "visibility_timeout_s"),
)


def load(**overrides: Any) -> Settings:
    """Read the environment; a mistake names its variable."""
    unknown = sorted({*_unknown(os.environ), *_unknown(dotenv_values(ENV_FILE))})
    if unknown:
        raise Unusable(f"no such setting: {', '.join(unknown)} (see settings.py for the names)")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise Unusable("; ".join(_sentence(one) for one in error.errors())) from None


def _unknown(names: Iterable[str]) -> list[str]:
    """Names that are meant for us, and are none of ours: mistyped ones."""
    known = {_variable(field) for field in Settings.model_fields} | ELSEWHERE
    return [name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known]


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give a child process these same settings."""
    given = settings.model_dump(mode="python", exclude_none=True)
    return {_variable(name): _text(value) for name, value in given.items()}


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, tuple) else str(value)


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _sentence(error: ErrorDetails) -> str:
    """What is wrong with which variable; never its value, which may be a secret."""
    text = error["msg"].removeprefix("Value error, ")
    return f"{_variable(str(error['loc'][0]))}: {text}" if error["loc"] else text
