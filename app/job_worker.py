"""The job queue's worker: runs a shop's long jobs, hands them back on shutdown, retries after a crash."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from socket import gaierror
from typing import Any

from redis.exceptions import RedisError
from streaq import StreaqRetry

from app.connections import Connections
from app.errors import ShopifyUnavailable
from app.events.consume import OUTAGES
from app.failures import reason_of
from app.jobs import Job, JobLocked, job_queue, never_wait, requeue_job
from app.tracing import span
from app.values import ShopDomain, shop_domain

Work = Callable[[Connections, ShopDomain], Awaitable[object]]
_Task = Callable[[str], Coroutine[Any, Any, None]]

_CONCURRENCY = 4
_MAX_TRIES = 20
_RETRY_AFTER = timedelta(seconds=30)
_LOCKED_RETRY_AFTER = timedelta(seconds=5)  # another run of the job holds its lock
_IDLE_S = 30  # a job whose worker died is taken up by another after this
_log = logging.getLogger(__name__)


async def work_jobs(connections: Connections, jobs: Mapping[Job, Work], stop: asyncio.Event) -> None:
    """Do the jobs of the queue until stopped; what is under way then goes back into the queue."""
    url = connections.redis_url
    queue = job_queue(url, waits_s=_IDLE_S, concurrency=_CONCURRENCY, idle_timeout=_IDLE_S)
    _embed(queue)
    for name, work in jobs.items():
        task = _bounded(queue, name, _task(connections, name, work, stop))
        # Silent: it would log every job without its shop, and one that is requeued as an error.
        queue.task(name=name, max_tries=None, ttl=60, silent=True)(task)
    running = asyncio.create_task(queue.run_async())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _embed(queue: Any) -> None:
    """Make the queue leave signals to its process, and close the stream it receives jobs from."""
    run_consumers = queue.run_consumers

    async def leave_signals(_scope: Any) -> None:
        return

    async def run_and_close(receive: Any, *scopes: Any, **started: Any) -> None:
        with receive:
            await run_consumers(receive, *scopes, **started)

    queue.signal_handler, queue.run_consumers = leave_signals, run_and_close


def _task(connections: Connections, name: Job, work: Work, stop: asyncio.Event) -> _Task:
    """Return the work as the queue runs it; an outage postpones it, however long that lasts."""

    async def do(shop: str) -> None:
        never_wait()
        try:
            with span(f"job {name}", shop=shop):
                await _unless_stopped(work(connections, shop_domain(shop)), stop)
        except JobLocked:
            await _postpone(connections, name, shop, _LOCKED_RETRY_AFTER)
        except (ShopifyUnavailable, *OUTAGES) as error:
            _log.warning("a job is put off", extra={"shop": shop, "reason": reason_of(error)})
            if not _is_passing(error):
                raise StreaqRetry(delay=_RETRY_AFTER) from error
            await _postpone(connections, name, shop, _RETRY_AFTER)
        except StreaqRetry:
            raise
        except Exception:
            _log.exception("a job failed", extra={"shop": shop, "kind": name})
            raise

    return do


def _bounded(queue: Any, name: Job, task: _Task) -> _Task:
    """Return the task, given up after _MAX_TRIES runs: it may be what kills its worker."""

    async def do(shop: str) -> None:
        if queue.registry[name].context.tries > _MAX_TRIES:
            _log.error("a job is given up", extra={"shop": shop, "kind": name})
        else:
            await task(shop)

    return do


def _is_passing(error: Exception) -> bool:
    """Return whether the error is an outage that ends by itself; our own disk being full is not. Pure."""
    ours = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError | gaierror)
    return not ours


async def _postpone(connections: Connections, name: Job, shop: str, after: timedelta) -> None:
    """Queue the job again for later. Where that fails the queue retries it, at most _MAX_TRIES times."""
    try:
        await requeue_job(connections, name, shop, after)
    except (RedisError, OSError) as error:
        raise StreaqRetry(delay=after) from error


async def _unless_stopped(work: Awaitable[object], stop: asyncio.Event) -> None:
    doing = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
            return
        raise StreaqRetry("the worker is stopping", delay=0)
    finally:
        stopping.cancel()
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
