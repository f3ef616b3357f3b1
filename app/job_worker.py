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
from app.jobs import Job, JobLocked, hand_back, job_queue, never_wait
from app.shops.active import note_active
from app.tracing import span
from app.values import ShopDomain, shop_domain

Work = Callable[[Connections, ShopDomain], Awaitable[object]]
_Task = Callable[[str], Coroutine[Any, Any, None]]

_AT_ONCE = 4
_MAX_TRIES = 20
_TRY_AGAIN = timedelta(seconds=30)
_LOOK_AGAIN = timedelta(seconds=5)  # whether the run before has ended
_IDLE_S = 30  # a job whose worker died is taken up by another after this
_log = logging.getLogger(__name__)


async def work_jobs(connections: Connections, jobs: Mapping[Job, Work], stop: asyncio.Event) -> None:
    """Do the jobs of the queue until stopped; what is under way then goes back into the queue."""
    url = connections.redis_url
    queue = job_queue(url, waits_s=_IDLE_S, concurrency=_AT_ONCE, idle_timeout=_IDLE_S)
    _fit_in(queue)
    for name, work in jobs.items():
        task = _bounded(queue, name, _task(connections, name, work, stop))
        # Silent: it would tell of each job, of none which shop's, and of one that goes back as of an error.
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


def _fit_in(queue: Any) -> None:
    """Have the queue leave signals to the worker around it, and close the stream it receives jobs from."""
    run_consumers = queue.run_consumers

    async def leave_signals(_scope: Any) -> None:
        return

    async def run_and_close(receive: Any, *scopes: Any, **started: Any) -> None:
        with receive:
            await run_consumers(receive, *scopes, **started)

    queue.signal_handler, queue.run_consumers = leave_signals, run_and_close


def _task(connections: Connections, name: Job, work: Work, stop: asyncio.Event) -> _Task:
    """Return the work as the queue runs it; an outage of others puts it off, however long that lasts."""

    async def do(shop: str) -> None:
        never_wait()
        try:
            with span(f"job {name}", shop=shop):
                await _unless_stopped(work(connections, shop_domain(shop)), stop)
            await note_active(connections.redis, [shop])  # it may have left something to do for others
        except JobLocked:
            await _put_off(connections, name, shop, _LOOK_AGAIN)
        except (ShopifyUnavailable, *OUTAGES) as error:
            _log.warning("a job is put off", extra={"shop": shop, "reason": reason_of(error)})
            if not _passes(error):
                raise StreaqRetry(delay=_TRY_AGAIN) from error
            await _put_off(connections, name, shop, _TRY_AGAIN)
        except StreaqRetry:
            raise
        except Exception:
            _log.exception("a job failed", extra={"shop": shop, "kind": name})
            raise

    return do


def _bounded(queue: Any, name: Job, task: _Task) -> _Task:
    """Return the task as it is run at most _MAX_TRIES times: it may be what kills its worker."""

    async def do(shop: str) -> None:
        if queue.registry[name].context.tries > _MAX_TRIES:
            _log.error("a job is given up", extra={"shop": shop, "kind": name})
        else:
            await task(shop)

    return do


def _passes(error: Exception) -> bool:
    """Return whether the error passes by itself, as an outage does; a full disk of ours need not. Pure."""
    ours = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError | gaierror)
    return not ours


async def _put_off(connections: Connections, name: Job, shop: str, after: timedelta) -> None:
    """Queue the job again for later. Where that fails the queue retries it, at most _MAX_TRIES times."""
    try:
        await hand_back(connections, name, shop, after)
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
