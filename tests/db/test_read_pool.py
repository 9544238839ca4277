"""Quick reads pass slow ones by, on whatever they wait for; nothing here takes longer than it must."""

import asyncio
from threading import Event

import pytest

from app.db.read_pool import ReadPool, shape_of, slow_slots
from app.errors import Unavailable


def test_a_slow_read_gives_its_place_to_a_quick_one_and_others_like_it_wait_or_are_refused() -> None:
    async def go() -> None:
        lanes, begun, end = ReadPool(1, seconds=0.1, in_process=False), Event(), Event()

        def slow_work() -> bool:
            begun.set()
            return end.wait(30)

        try:
            slow = asyncio.create_task(lanes.run(slow_work, "slow"))
            await asyncio.to_thread(begun.wait, 30)
            alike = [asyncio.create_task(lanes.run(slow_work, "slow")) for _ in range(3)]
            assert await lanes.run(lambda: "passed by", "quick") == "passed by"
            refused = await asyncio.gather(*alike, return_exceptions=True)
            assert [type(one) for one in refused] == [Unavailable] * 3
            assert "it was not begun" in str(refused[0])
        finally:
            end.set()
        assert await slow
        assert lanes._slow_shapes == {"slow"}
        assert await lanes.run(lambda: "quick again", "slow") == "quick again"
        assert not lanes._slow_shapes

    asyncio.run(go())


def test_what_is_cut_off_counts_as_slow_however_little_it_did() -> None:
    def cut() -> None:
        raise Unavailable("cut off")

    async def go() -> set[object]:
        lanes = ReadPool(4, seconds=30, in_process=True)
        with pytest.raises(Unavailable):
            await lanes.run(cut, "slow")
        return {*lanes._slow_shapes}

    assert asyncio.run(go()) == {"slow"}
    assert slow_slots(8) == 2
    assert slow_slots(1) == 1


def test_the_shape_of_work_is_its_code_whatever_it_is_asked_with() -> None:
    from functools import partial

    def work(one: int) -> int:
        return one

    assert shape_of(partial(work, 1)) == shape_of(partial(work, 2)) == work.__code__
    assert shape_of(len) is len
