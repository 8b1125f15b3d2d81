"""Every setting, with its unit in its name: environment variables `UNMASK_…` and a `.env` file.

Only `workers.app`, `producer.__main__` and `infra.resources` read this module.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from unmask.errors import Unusable

PREFIX = "UNMASK_"


class Settings(BaseSettings):
    """Checked against each other at start, so that a bad pair stops here, not at item 1,000,000."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    #: Where Redis is: `redis://:password@host:port/0`, or `rediss://` for TLS.
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    #: The ledger: `sqlite:///path` or `postgresql+psycopg://user:password@host/db`.
    database_url: SecretStr = SecretStr("sqlite:///state/unmask.db")
    #: Object storage: a folder, or `s3://bucket/prefix`.
    store_url: str = "state/objects"
    s3_endpoint_url: str | None = None
    s3_path_style: bool = False
    s3_encryption: Literal["none", "AES256", "aws:kms"] = "none"
    s3_kms_key: str | None = None
    #: Buckets whose `s3://` addresses may be scanned.
    s3_source_buckets: tuple[str, ...] = ()

    #: Where model bundles lie, one folder each.
    models_dir: Path = Path("models")
    #: `auto`, `cpu`, `cuda` or `cuda:N`.
    device: str = "auto"

    #: Items on offer at once, per stage: all that Redis ever holds.
    window_items: int = Field(default=200, ge=1)
    #: An offer nobody took is made again after this long.
    offer_lease_s: float = Field(default=120, gt=0)
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
    download_ports: tuple[int, ...] = (80, 443)
    download_allow_networks: tuple[str, ...] = ()

    #: Pool processes of a CPU worker; 0 is one per core but one.
    cpu_processes: int = Field(default=0, ge=0)
    #: Items that a GPU worker holds at once.
    gpu_items: int = Field(default=16, ge=1)
    #: Torch threads where the classifier runs on the CPU; 0 leaves it to torch.
    gpu_threads: int = Field(default=0, ge=0)

    #: Who may open Flower; without it Flower serves loopback only.
    flower_user: str = "unmask"
    flower_password: SecretStr | None = None
    flower_address: str = "127.0.0.1"
    flower_port: int = Field(default=5555, ge=0)

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
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX)
        and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    )
    if unknown:
        raise Unusable(f"no such setting: {', '.join(unknown)} (see settings.py for the names)")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise Unusable("; ".join(_sentence(dict(one)) for one in error.errors())) from None


def environment(settings: Settings, **extra: str) -> dict[str, str]:
    """The variables that give a child process these same settings."""
    given = settings.model_dump(mode="python", exclude_none=True)
    return {_variable(name): _text(value) for name, value in given.items()} | extra


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return (
            "[" + ",".join(f'"{one}"' if isinstance(one, str) else str(one) for one in value) + "]"
        )
    return str(value)


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _sentence(error: dict[str, object]) -> str:
    where = error["loc"]
    text = str(error["msg"]).removeprefix("Value error, ")
    if isinstance(where, tuple) and where:
        return f"{_variable(str(where[0]))}: {text}"
    return text
