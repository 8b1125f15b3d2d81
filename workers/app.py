"""The only Celery configuration."""

from celery import Celery
from kombu import Exchange, Queue

from infra.doorbell import broker_tls, guard_transport
from infra.resources import load_drivers
from schemas.records import Priority
from settings import Settings, load
from tasks import names
from unmask.errors import Unusable

#: Redis keeps one list per step.
PRIORITY_STEPS = [int(one) for one in Priority]


def make_app(*queues: str, settings: Settings | None = None) -> Celery:
    """An app whose worker serves the given queues; with none it only sends."""
    chosen = settings or _load()
    guard_transport()
    load_drivers(chosen)
    app = Celery("unmask", set_as_current=True)
    redis_url = chosen.redis_url.get_secret_value()
    app.conf.update(
        broker_url=redis_url,
        broker_use_ssl=broker_tls(redis_url),
        broker_connection_retry_on_startup=True,
        # A Redis that is full for a while ends no worker.
        broker_channel_error_retry=True,
        broker_transport_options={
            "visibility_timeout": chosen.visibility_timeout_s,
            "priority_steps": PRIORITY_STEPS,
            "queue_order_strategy": "priority",
            "socket_timeout": 30,
            "socket_connect_timeout": 10,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        visibility_timeout=chosen.visibility_timeout_s,
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        task_routes={task: {"queue": queue} for task, queue in names.QUEUES.items()},
        task_queues=[_queue(name) for name in queues] or None,
        # A worker consumes its own queues and may still send to the next stage's.
        task_create_missing_queues=True,
        task_acks_late=True,
        # The ledger's lease gives a lost item back, and counts it; Redis would only loop it.
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_send_task_events=True,
        task_send_sent_event=True,
        task_track_started=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        task_soft_time_limit=chosen.extract_soft_limit_s,
        task_time_limit=chosen.extract_hard_limit_s,
        enable_utc=True,
        timezone="UTC",
        unmask_cpu_processes=chosen.cpu_processes,
        unmask_gpu_items=chosen.gpu_items,
        unmask_drain_s=chosen.drain_s,
        unmask_log_level=chosen.log_level,
    )
    return app


def _load() -> Settings:
    """Celery would put a page of traceback around the one sentence that helps."""
    try:
        return load()
    except Unusable as error:
        raise SystemExit(f"unmask: {error}") from None


def _queue(name: str) -> Queue:
    """An exchange of its own: under the shared default every queue would get every message."""
    return Queue(name, Exchange(name), routing_key=name)
