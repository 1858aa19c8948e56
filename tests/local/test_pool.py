"""Workers: bound, replaced, evicted, queued for, reaped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.pool import INVOCATIONS_LOG, Disturbance, WorkerPool
from local.stack import Function

CODE = """
import os, time
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    if event.get("exit"):
        os._exit(3)
    return {"pid": os.getpid(), "function": context.function_name, "cwd": os.getcwd()}
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(CODE)
    return tmp_path


def function(code: Path, name: str, *, handler: str = "work.handler", timeout: float = 10) -> Function:
    return Function(
        logical_id=name,
        name=name,
        arn=f"arn:aws:lambda:eu-west-3:000000000000:function:{name}",
        handler=handler,
        code=code,
        paths=(),
        environment={},
        timeout_seconds=timeout,
        memory_mb=128,
    )


def with_pool(code: Path, scenario: Callable[[WorkerPool], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        pool = WorkerPool(code, packages=(), **settings)
        await pool.start()
        try:
            await scenario(pool)
        finally:
            await pool.stop()

    asyncio.run(run())


async def call(pool: WorkerPool, target: Function, event: object = None, *, nested: bool = True) -> dict[str, Any]:
    answer = await pool.invoke(target, json.dumps(event or {}).encode(), nested=nested)
    content: dict[str, Any] = json.loads(answer.payload)
    return content


def test_worker_is_bound_to_its_function_and_used_again(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        first, second = function(code, "first"), function(code, "second")
        answers = [await call(pool, target) for target in (first, second, first)]

        assert [answer["function"] for answer in answers] == ["first", "second", "first"]
        assert answers[0]["pid"] == answers[2]["pid"] != answers[1]["pid"]
        assert answers[0]["cwd"] == str(code)

    with_pool(code, scenario)


def test_full_pool_evicts_the_least_recently_used_idle_worker(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        one, two, three = (function(code, name) for name in ("one", "two", "three"))
        await call(pool, one)
        kept = await call(pool, two)
        await call(pool, three)

        assert set(pool.describe()["functions"]) == {"two", "three"}
        assert (await call(pool, two))["pid"] == kept["pid"]

    with_pool(code, scenario, maximum=2)


def test_calls_wait_when_every_worker_is_busy(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        busy = function(code, "busy")
        answers = await asyncio.gather(*(call(pool, busy, {"seconds": 0.05}) for _ in range(12)))

        assert len(answers) == 12
        assert len({answer["pid"] for answer in answers}) <= 3
        assert pool.describe()["total"] <= 3

    with_pool(code, scenario, maximum=3)


def test_nested_call_finds_a_worker_while_all_others_wait_for_it(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        outer, inner = function(code, "outer"), function(code, "inner")
        outers = [asyncio.create_task(call(pool, outer, {"seconds": 2}, nested=False)) for _ in range(4)]
        await asyncio.sleep(0.6)

        answer = await asyncio.wait_for(call(pool, inner), 1)

        assert answer["function"] == "inner"
        assert not any(task.done() for task in outers)
        for task in outers:
            task.cancel()

    with_pool(code, scenario, maximum=6)


def test_waiting_function_gets_its_turn_beside_a_crowded_one(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        crowded, single = function(code, "crowded"), function(code, "single")
        crowd = [asyncio.create_task(call(pool, crowded, {"seconds": 0.1})) for _ in range(40)]
        await asyncio.sleep(0.3)

        await call(pool, single)

        assert not all(task.done() for task in crowd)
        await asyncio.gather(*crowd)

    with_pool(code, scenario, maximum=2)


def test_timeout_kills_and_names_the_error_as_lambda_does(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        impatient = function(code, "impatient", timeout=0.2)
        before = (await call(pool, impatient))["pid"]
        late = await call(pool, impatient, {"seconds": 5})

        assert late["errorType"] == "Sandbox.Timedout"
        assert late["errorMessage"].endswith("Error: Task timed out after 0.20 seconds")
        assert (await call(pool, impatient))["pid"] != before
        async with asyncio.timeout(10):  # until the zygote has reaped it
            while is_there(before):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)

    with_pool(code, scenario)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_exit_in_the_middle_is_an_error_and_the_next_call_works(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        leaving = function(code, "leaving")

        assert (await call(pool, leaving, {"exit": True}))["errorType"] == "Runtime.ExitError"
        assert (await call(pool, leaving))["function"] == "leaving"

    with_pool(code, scenario)


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [("nothing.handler", "Runtime.ImportModuleError"), ("work.nobody", "Runtime.HandlerNotFound")],
)
def test_handler_that_cannot_be_loaded_is_every_calls_error(code: Path, handler: str, error_type: str) -> None:
    async def scenario(pool: WorkerPool) -> None:
        missing = function(code, "missing", handler=handler)

        assert [(await call(pool, missing))["errorType"] for _ in range(2)] == [error_type] * 2

    with_pool(code, scenario)


def test_idle_workers_are_reaped(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        await call(pool, function(code, "once"))
        await asyncio.sleep(0.5)

        assert pool.describe()["total"] == 0

    with_pool(code, scenario, idle_seconds=0.2)


def test_renewed_pool_lets_a_running_call_finish_and_loads_new_code(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        target = function(code, "changing")
        running = asyncio.create_task(call(pool, target, {"seconds": 0.3}))
        await asyncio.sleep(0.15)
        (code / "work.py").write_text(CODE.replace('"cwd"', '"renewed": True, "cwd"'))

        pool.renew()

        assert "renewed" in await call(pool, target)
        assert "renewed" not in await running

    with_pool(code, scenario)


def test_killed_zygote_is_started_again_and_its_workers_live_on(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        old = function(code, "old")
        pid = (await call(pool, old))["pid"]
        killed = pool.describe()["zygote"]

        os.kill(killed, signal.SIGKILL)
        fresh = await asyncio.wait_for(call(pool, function(code, "new")), 10)

        assert fresh["function"] == "new"
        assert (await call(pool, old))["pid"] == pid
        assert pool.describe()["zygote"] != killed

    with_pool(code, scenario)


def test_what_functions_share_is_imported_once_and_anew_when_the_pool_is_renewed(code: Path) -> None:
    layer = code / "layer"
    shared = layer / "billing" / "domain"
    shared.mkdir(parents=True)
    (layer / "billing" / "__init__.py").touch()
    (shared / "__init__.py").touch()
    (shared / "words.py").write_text("import os\nWORD, IMPORTED_BY = 'before', os.getpid()\n")
    (shared / "broken.py").write_text("this is no Python\n")
    (code / "say.py").write_text(
        "import os\nfrom billing.domain import words\n"
        "def handler(event, context):\n"
        "    return {'word': words.WORD, 'imported_here': words.IMPORTED_BY == os.getpid()}\n"
    )

    async def scenario(pool: WorkerPool) -> None:
        target = replace(function(code, "say", handler="say.handler"), paths=(layer,))
        before = await call(pool, target)
        (shared / "words.py").write_text("import os\nWORD, IMPORTED_BY = 'afterwards', os.getpid()\n")
        pool.renew()

        assert before == {"word": "before", "imported_here": False}
        assert await call(pool, target) == {"word": "afterwards", "imported_here": False}

    with_pool(code, scenario, shared=[layer])


def test_what_reads_what_all_have_in_common_is_imported_once_and_by_whoever_differs(code: Path) -> None:
    layer = code / "layer"
    for package in ("billing", "billing/api"):
        (layer / package).mkdir(parents=True, exist_ok=True)
        (layer / package / "__init__.py").touch()
    (layer / "billing/api/settings.py").write_text(
        "import os\nTABLE, STAGE, IMPORTED_BY = os.environ['TABLE'], os.getenv('STAGE'), os.getpid()\n"
    )
    (layer / "billing/api/everything.py").write_text("import os\nEVERYTHING = dict(os.environ)\n")
    (code / "say.py").write_text(
        "import os\nfrom billing.api import everything, settings\n"
        "def handler(event, context):\n"
        "    alike = (settings.TABLE, settings.STAGE) == (os.environ['TABLE'], os.environ.get('STAGE'))\n"
        "    its_own = everything.EVERYTHING['AWS_LAMBDA_FUNCTION_NAME'] == context.function_name\n"
        "    return [settings.TABLE, settings.IMPORTED_BY == os.getpid(), alike and its_own]\n"
    )

    async def scenario(pool: WorkerPool) -> None:
        async def said(name: str, **environment: str) -> Any:
            target = replace(
                function(code, name, handler="say.handler"), paths=(layer,), environment={"MINE": name, **environment}
            )
            return json.loads((await pool.invoke(target, b"{}")).payload)

        assert await said("as-all", TABLE="common") == ["common", False, True]
        assert await said("other-table", TABLE="its own") == ["its own", True, True]
        assert await said("other-stage", TABLE="common", STAGE="prod") == ["common", True, True]
        pool.disturb("as-all", Disturbance(environment={"TABLE": "disturbed"}))
        assert await said("as-all", TABLE="common") == ["disturbed", True, True]

    with_pool(code, scenario, shared=[layer], common=lambda: {"TABLE": "common"})


def test_one_function_has_no_more_workers_than_the_processors_serve(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        target = function(code, "crowded")
        crowd = 5 * (os.cpu_count() or 1)
        answers = await asyncio.gather(*(call(pool, target, {"seconds": 0.05}) for _ in range(crowd)))

        assert len(answers) == crowd
        assert len({answer["pid"] for answer in answers}) <= 2 * (os.cpu_count() or 1)

    with_pool(code, scenario)


def test_a_disturbed_function_dies_at_each_call_and_is_reported_until_it_is_left_in_peace(code: Path) -> None:
    async def scenario(pool: WorkerPool) -> None:
        work = function(code, "work")
        assert not (await pool.invoke(work, b"{}")).function_error
        pool.disturb("work", Disturbance(crashes=True))
        for _ in range(2):
            answer = await pool.invoke(work, b"{}")
            assert answer.function_error
            assert json.loads(answer.payload)["errorType"] == "Runtime.ExitError"
        assert not (await pool.invoke(function(code, "other"), b"{}")).function_error
        pool.disturb("work", None)
        assert not (await pool.invoke(work, b"{}")).function_error

    with_pool(code, scenario)

    reported = [json.loads(line) for line in (code / INVOCATIONS_LOG).read_text().splitlines()]
    assert [(one["function"], one["error"]) for one in reported] == [
        *[("work", False), ("work", True), ("work", True)],
        *[("other", False), ("work", False)],
    ]


def test_a_disturbed_function_finds_another_environment(code: Path) -> None:
    (code / "told.py").write_text("import os\ndef handler(event, context): return os.environ.get('TABLE')\n")
    told = replace(function(code, "told", handler="told.handler"), environment={"TABLE": "its own"})

    async def scenario(pool: WorkerPool) -> None:
        async def table() -> Any:
            return json.loads((await pool.invoke(told, b"{}")).payload)

        assert await table() == "its own"
        pool.disturb("told", Disturbance(environment={"TABLE": "another"}))
        assert await table() == "another"
        pool.disturb("told", None)
        assert await table() == "its own"

    with_pool(code, scenario)
