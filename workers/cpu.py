"""`celery -A workers.cpu worker`: fetches items, cuts their face clips, never imports torch."""

import tasks.extract
from tasks.names import CPU_QUEUE
from tasks.pool import pool_size, usable_cores
from workers import before_forks, lost_process, soft_limit, spent_timers
from workers.app import make_app
from workers.life import announce

__all__ = ["app"]

app = make_app(CPU_QUEUE)
app.conf.update(
    worker_pool="prefork",
    worker_concurrency=pool_size(app.conf.unmask_cpu_processes, usable_cores()),
    imports=[tasks.extract.__name__],
)
announce(app)
soft_limit.guard()
spent_timers.watch(app)
before_forks.watch()
lost_process.watch()
