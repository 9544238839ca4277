"""Every probe of tests/reliability in its short form: no time is asserted; nothing is lost, doubled or unanswered."""

from concurrent.futures import ThreadPoolExecutor

from tests.reliability.__main__ import CASES
from tests.reliability.bench import open_bench
from tests.reliability.figures import Figure


def test_what_must_hold_holds_in_the_short_form_of_every_probe() -> None:
    with open_bench(is_short=True) as bench, ThreadPoolExecutor(1) as pool:

        def measured(case: str) -> list[tuple[str, Figure]]:
            return [(case, figure) for figure in CASES[case](bench)]

        with bench.server("sqlite"):
            waiting = pool.submit(measured, "idle")  # it waits for a time to pass, while the others work
            found = [one for case in CASES if case != "idle" for one in measured(case)] + waiting.result()
    assert {case for case, _ in found} == CASES.keys() - {"fuzz"}, (
        "tests/contract/test_schemathesis.py is its short form"
    )
    assert [one for one in found if not one[1].is_kept and not one[1].is_time] == []
