"""Twenty changes with one tag: one wins. One idempotency key twenty times: one record, and twenty times its answer."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller, at_once
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server

AT_ONCE = 20


def probe(bench: Bench) -> Iterator[Figure]:
    """With two processes, again and again."""
    for engine in bench.engines:
        with bench.server(engine, workers=1 if bench.is_short else 2) as server:
            yield from asyncio.run(look(server, engine, bench.rounds(10, 1)))


async def look(server: Server, engine: str, rounds: int) -> list[Figure]:
    """Each caller on a connection of its own."""
    callers = [Caller(server, key=True) for _ in range(AT_ONCE)]
    wins, records = [], []
    for number in range(rounds):
        made = await callers[0].create()
        path, tag = f"/v1/conditions/{made.json()['id']}", made.headers["etag"]

        async def change(one: int, path: str = path, tag: str = tag) -> int:
            return (await callers[one].ask("PATCH", path, {"name": f"made up {one}"}, If_Match=tag)).status

        statuses = Counter(await at_once(AT_ONCE, change))
        version = (await callers[0].ask("GET", path)).json()["version"]
        if statuses != {200: 1, 412: AT_ONCE - 1} or version != 2:
            wins.append((dict(statuses), version))
        body = {"id": f"made-up-once-{engine}-{number}", "name": "made up"}

        async def create(one: int, body: dict[str, str] = body) -> tuple[int, bytes]:
            answer = await callers[one].ask("POST", "/v1/conditions", body, Idempotency_Key=body["id"])
            return answer.status, answer.content

        answers = Counter(await at_once(AT_ONCE, create))
        history = await callers[0].ask("GET", f"/v1/conditions/{body['id']}/history")
        if len(answers) != 1 or next(iter(answers))[0] != 201 or len(history.json()["items"]) != 1:
            records.append((answers, history.content[:100]))
    for caller in callers:
        await caller.close()
    return [
        none_of(f"rounds in which not exactly one of {AT_ONCE} changes won", engine, wins, rounds),
        none_of("rounds in which one key made not exactly one record", engine, records, rounds),
    ]
