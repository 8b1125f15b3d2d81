"""Everything a worker needs from outside, built from the settings once per process, after fork."""

import functools
import importlib
import os
import socket
from dataclasses import dataclass

from infra.download import Buckets, DownloadLimits, Fetcher, Fetches
from infra.guard import Guard
from infra.ledger import Ledger, open_ledger
from infra.ledger.policy import Policy, Politeness
from infra.objects import Store, StoreOptions, open_store
from infra.own import hosts_of
from infra.sandbox import Room
from settings import Settings, load
from unmask.media.values import Limits


@dataclass(frozen=True, kw_only=True)
class Resources:
    settings: Settings
    ledger: Ledger
    store: Store
    fetcher: Fetches
    limits: Limits
    #: Who holds a lease: this host and this process.
    owner: str

    @functools.cached_property
    def room(self) -> Room:
        """Warmed up when first asked for: only CPU workers need one."""
        return Room()


@functools.cache
def resources() -> Resources:
    return build(load())


# A connection that crosses a fork is used by two processes at once.
os.register_at_fork(after_in_child=resources.cache_clear)


def build(settings: Settings) -> Resources:
    return Resources(
        settings=settings,
        ledger=open_ledger(settings.database_url.get_secret_value(), policy=policy(settings)),
        store=store(settings),
        fetcher=fetcher(settings),
        limits=limits(settings),
        owner=f"{socket.gethostname()}:{os.getpid()}",
    )


def load_drivers(settings: Settings) -> None:
    """What only these settings ask for; before a fork, so that every child shares it."""
    database = settings.database_url.get_secret_value()
    if settings.s3_source_buckets or settings.store_url.startswith("s3:"):
        importlib.import_module("infra.objects.s3")
    if not database.startswith("sqlite"):
        importlib.import_module("infra.ledger.patient_connection")


def limits(settings: Settings) -> Limits:
    """What decoding one file may cost."""
    return Limits(
        max_pixels=settings.media_max_pixels,
        max_duration_s=settings.media_max_duration_s,
        max_bytes=settings.download_max_bytes,
        deadline_s=settings.decode_deadline_s,
    )


def policy(settings: Settings) -> Policy:
    return Policy(
        hand_over_s=settings.offer_lease_s,
        extract_deadline_s=settings.extract_hard_limit_s,
        classify_deadline_s=settings.classify_deadline_s,
        politeness=Politeness(
            connections=settings.host_connections,
            per_s=settings.host_per_s,
            rest_s=settings.host_rest_s,
            give_up_s=settings.host_give_up_s,
        ),
    )


def store(settings: Settings) -> Store:
    options = StoreOptions(
        endpoint_url=settings.s3_endpoint_url,
        path_style=settings.s3_path_style,
        encryption=settings.s3_encryption,
        kms_key=settings.s3_kms_key,
        folder_keys=settings.store_key.get_secret_value() if settings.store_key else None,
    )
    return open_store(settings.store_url, options)


def fetcher(settings: Settings) -> Fetcher:
    return Fetcher(
        guard=Guard(
            allow_networks=settings.download_allow_networks,
            ports=settings.download_ports,
            own_hosts=own_hosts(settings),
        ),
        limits=DownloadLimits(
            max_bytes=settings.download_max_bytes,
            deadline_s=settings.download_deadline_s,
        ),
        buckets=source_buckets(settings),
    )


def own_hosts(settings: Settings) -> set[str]:
    """This machine, and whatever the settings say that we keep our work in."""
    redis_url = settings.redis_url.get_secret_value()
    database_url = settings.database_url.get_secret_value()
    return {socket.gethostname()} | hosts_of(redis_url, database_url, settings.s3_endpoint_url)


def source_buckets(settings: Settings) -> Buckets:
    return Buckets(
        names=frozenset(settings.s3_source_buckets),
        endpoint_url=settings.s3_endpoint_url,
        path_style=settings.s3_path_style,
    )
