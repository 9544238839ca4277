"""What was approved where on which day: the seed's cases, the ledger's rules, partial dates in three values."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.db.database import Database
from app.evidence.regulatory_status import NEGATIVE, POSITIVE, Decision, standing
from app.main import create_app
from app.models.jurisdictions import ACCESSIONS, COUNTRIES, UNION_LAW, under_union_law
from app.models.partial_dates import Period, all_true, any_true, negated, period
from app.settings import Settings
from app.store.write.save import save_all
from tests.store.test_store import APPROVAL, record, small_set
from tests.web.test_hostile import told

PATH = "/v1/regulatory-status"
BOTOX, DAXI = "onabotulinumtoxina", "daxibotulinumtoxina"


def asked(
    client: TestClient, treatment: str, condition: str, jurisdiction: str, on: str | None = None
) -> dict[str, Any]:
    question = {"treatment": treatment, "condition": condition, "jurisdiction": jurisdiction}
    answer = client.get(PATH, params=question | ({} if on is None else {"on": on}))
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


# The seed


@pytest.mark.parametrize(
    ("treatment", "condition", "jurisdiction", "on", "status"),
    [
        (BOTOX, "chronic-migraine", "US", "2010-10-14", "off-label"),
        (BOTOX, "chronic-migraine", "US", "2010-10-15", "on-label"),
        (BOTOX, "chronic-migraine", "US", "2010-11", "on-label"),
        (BOTOX, "chronic-migraine", "US", "2009", "off-label"),
        (BOTOX, "chronic-migraine", "US", "2010-10", "unknown"),
        (BOTOX, "chronic-migraine", "GB", "2010-07-08", "off-label"),
        (BOTOX, "chronic-migraine", "GB", "2010-07-09", "on-label"),
        (BOTOX, "chronic-low-back-pain", "US", "2010-10-15", "off-label"),
        (BOTOX, "chronic-low-back-pain", "US", None, "off-label"),
        (BOTOX, "cervical-dystonia", "GB", "2026-11-22", "on-label"),
        (BOTOX, "cervical-dystonia", "GB", "2026-11-21", "unknown"),
        (DAXI, "glabellar-lines", "US", "2022-08-31", "off-label"),
        (DAXI, "glabellar-lines", "US", "2022-09-15", "unknown"),
        (DAXI, "glabellar-lines", "US", "2022-10-01", "on-label"),
        (BOTOX, "chronic-migraine", "JP", None, "unknown"),
        ("botulinum-toxin", "chronic-migraine", "US", None, "unknown"),
        (BOTOX, "upper-limb-spasticity", "US", None, "unknown"),
    ],
)
def test_the_status_of_a_day_follows_from_the_ledger(
    seed_client: TestClient, treatment: str, condition: str, jurisdiction: str, on: str | None, status: str
) -> None:
    assert asked(seed_client, treatment, condition, jurisdiction, on)["status"] == status


def test_the_answer_carries_the_whole_records_that_decide_and_says_why(seed_client: TestClient) -> None:
    answer = asked(seed_client, BOTOX, "chronic-migraine", "US", "2010-10-14")
    assert answer["approvals"] == [seed_client.get("/v1/approvals/onabotulinumtoxina-chronic-migraine-us").json()]
    assert "first approval" in answer["reason"]
    assert "2010-10-15" in answer["reason"]
    assert (answer["stale_days"], answer["depends_on_missing_date"]) == (0, False)
    assert "not medical advice" in answer["disclaimer"]


def test_a_month_that_lacks_its_day_leaves_its_days_open_and_says_so(seed_client: TestClient) -> None:
    answer = asked(seed_client, DAXI, "glabellar-lines", "US", "2022-09-15")
    assert answer["depends_on_missing_date"] is True
    assert "2022-09 (the day is missing)" in answer["reason"]
    assert [approval["id"] for approval in answer["approvals"]] == ["daxibotulinumtoxina-glabellar-lines-us"]
    assert (answer["last_checked"], answer["stale_days"]) == ("2026-11-22", None)


def test_an_approval_of_which_nobody_recorded_the_beginning_decides_from_its_check_on(seed_client: TestClient) -> None:
    answer = asked(seed_client, BOTOX, "cervical-dystonia", "GB", "2015-01-01")
    assert (answer["status"], answer["depends_on_missing_date"]) == ("unknown", True)
    assert "a day that nobody recorded" in answer["reason"]


def test_an_old_check_still_decides_and_says_how_old_it_is(seed_client: TestClient) -> None:
    answer = asked(seed_client, BOTOX, "chronic-low-back-pain", "CA", "2026-11-22")
    assert (answer["status"], answer["stale_days"], answer["last_checked"]) == ("off-label", 5774, "2011-01-31")
    assert "5774 days" in answer["reason"]


def test_where_nothing_is_recorded_nothing_is_said(seed_client: TestClient) -> None:
    answer = asked(seed_client, BOTOX, "chronic-migraine", "JP")
    assert (answer["status"], answer["approvals"], answer["last_checked"]) == ("unknown", [], None)
    assert (answer["stale_days"], answer["depends_on_missing_date"]) == (None, False)
    assert "JP" in answer["reason"]


def test_the_day_is_today_unless_it_is_named(seed_client: TestClient) -> None:
    on = asked(seed_client, BOTOX, "chronic-migraine", "US")["on"]
    assert date.fromisoformat(on) >= date(2026, 11, 22)


# What is refused


@pytest.mark.parametrize(("code", "near"), [("UK", "GB"), ("us", "US"), ("EL", "GR"), ("eu", "EU"), ("USA", "US")])
def test_an_unknown_jurisdiction_is_refused_with_the_right_one(seed_client: TestClient, code: str, near: str) -> None:
    question = {"treatment": BOTOX, "condition": "chronic-migraine", "jurisdiction": code}
    assert code in told(seed_client.get(PATH, params=question), 422, parameter="jurisdiction", nearest=near)["detail"]


def test_a_wrong_question_says_what_is_wrong(seed_client: TestClient) -> None:
    good = {"treatment": BOTOX, "condition": "chronic-migraine", "jurisdiction": "US"}
    for name, value in good.items():
        told(seed_client.get(PATH, params={**good, name: ""}), 422, parameter=name)
        told(
            seed_client.get(PATH, params={key: value for key, value in good.items() if key != name}),
            422,
            parameter=name,
        )
        told(seed_client.get(PATH, params={**good, name: [value, value]}), 422, parameter=name)
    for on in ("2010-02-30", "2010-13", "yesterday", "", "0000", "2010-10-15T00:00:00Z", "20101015"):
        told(seed_client.get(PATH, params={**good, "on": on}), 422, parameter="on")
    far = told(seed_client.get(PATH, params={**good, "jurisdiction": "XX"}), 422, parameter="jurisdiction")
    assert "nearest" not in far["errors"][0]
    told(seed_client.get(PATH, params={**good, "at": "2010"}), 422, parameter="at")
    told(seed_client.get(PATH, params=good, headers={"Accept": "text/csv"}), 406)
    near = told(seed_client.get(PATH, params={**good, "treatment": "onabotulinumtoxin"}), 422)
    assert f"Did you mean {BOTOX!r}?" in near["detail"]
    assert (
        "chronic-migraine"
        in told(seed_client.get(PATH, params={**good, "condition": "chronic-migrane"}), 422)["detail"]
    )


# The rules, on decisions that were made up

CHECKED = date(2020, 1, 1)


def decision(status: str, since: str | None = None, until: str | None = None, **more: Any) -> Decision:
    given = {
        "id": f"{status}-{since}",
        "indication": "example-use",
        "jurisdiction": "US",
        "authority": "Example agency",
    }
    return Decision(**{**given, "as_of": CHECKED, "valid_from": since, "valid_to": until, "status": status, **more})


NEVER = decision("not-approved", never_began=True, as_of=date(2008, 6, 1))


@pytest.mark.parametrize(
    ("decisions", "on", "status", "depends"),
    [
        # one that ended says nothing of the days after, and what was checked before it does not speak again
        ([decision("approved", "2000", "2004-12-31")], "2004-12-31", "on-label", False),
        ([decision("approved", "2000", "2004-12-31")], "2005-01-01", "unknown", False),
        ([decision("approved", "2000", "2004")], "2004-05-01", "unknown", True),
        ([NEVER, decision("approved", "2010", "2014")], "2009-12-31", "off-label", False),
        ([NEVER, decision("approved", "2010", "2014")], "2012", "on-label", False),
        ([NEVER, decision("approved", "2010", "2014")], "2015", "unknown", False),
        ([decision("refused", "2005"), decision("approved", "2010", "2014")], "2015", "off-label", False),
        # a later one ends an earlier one
        ([decision("approved", "2000"), decision("withdrawn", "2010-03-01")], "2010-02-28", "on-label", False),
        ([decision("approved", "2000"), decision("withdrawn", "2010-03-01")], "2010-03-01", "off-label", False),
        ([decision("approved", "2000"), decision("withdrawn", "2010")], "2010-03-01", "unknown", True),
        ([decision("approved", "2000"), decision("suspended", "2010", "2011")], "2012", "on-label", False),
        (
            [decision("approved", "2000", as_of=date(2005, 1, 1)), decision("suspended", "2010", "2011")],
            "2012",
            "on-label",
            False,
        ),
        ([decision("withdrawn", "2010"), decision("conditional", "2011")], "2012", "on-label", False),
        # the same sign twice is one answer, even where their order is open
        ([decision("approved", "2000"), decision("conditional", "2010")], "2010-03-01", "on-label", False),
        # two that say the opposite from the same day on contradict each other; no date is missing
        ([decision("approved", "2010-03-01"), decision("refused", "2010-03-01")], "2012", "unknown", False),
        # no approval ever, checked after an approval that was seen only earlier, contradicts it as well
        (
            [decision("approved", "2010", as_of=date(2011, 1, 1)), decision("not-approved", never_began=True)],
            "2012",
            "unknown",
            False,
        ),
        # a beginning that nobody recorded: on the day of the check and after, and not before an older check of nothing
        ([decision("approved")], "2019-12-31", "unknown", True),
        ([decision("approved")], "2020-01-01", "on-label", False),
        ([decision("refused")], "2019-12-31", "unknown", True),
        ([decision("refused")], "2020-01-01", "off-label", False),
        ([NEVER, decision("approved")], "2008-06-01", "off-label", False),
        ([NEVER, decision("approved")], "2008-06-02", "unknown", True),
        ([decision("approved", "2010"), decision("withdrawn", None)], "2020-02-01", "off-label", False),
        # a first approval shows that there was none before it; another one does not
        ([decision("approved", "2010-03-01", first_approval=True)], "2010-02-28", "off-label", False),
        ([decision("approved", "2010-03-01")], "2010-02-28", "unknown", False),
        ([decision("approved", "2010", first_approval=True)], "2010-02-28", "unknown", True),
        (
            [decision("approved", "2015", first_approval=True), decision("refused", "2010")],
            "2010-02-28",
            "off-label",
            False,
        ),
        # what is unknown decides nothing
        ([decision("unknown", "2000")], "2012", "unknown", False),
        ([], "2012", "unknown", False),
        # several indications: any that is approved, else any that is open, else any that is not approved
        ([NEVER, decision("approved", "2000", indication="another-use")], "2005", "on-label", False),
        ([NEVER, decision("approved", "2005", indication="another-use")], "2005-03-01", "unknown", True),
        ([NEVER, decision("unknown", "2000", indication="another-use")], "2005", "off-label", False),
        # a period in which one approval follows another without a gap
        (
            [decision("approved", "2000", "2010-03-14"), decision("approved", "2010-03-15")],
            "2010-03",
            "on-label",
            False,
        ),
        ([decision("approved", "2000", "2010-03-13"), decision("approved", "2010-03-15")], "2010-03", "unknown", True),
        ([decision("approved", "0001", "9999")], "9999", "unknown", True),
    ],
)
def test_the_rules_of_the_ledger(decisions: list[Decision], on: str, status: str, depends: bool) -> None:
    found = standing(decisions, "US", on)
    assert (found.status, found.depends_on_missing_date) == (status, depends), found.reason
    assert found.reason
    assert bool(found.decisions) or found.status == "unknown"


BY_THE_UNION = decision("approved", "2013-03-01", jurisdiction="EU", first_approval=True)


@pytest.mark.parametrize(
    ("decisions", "jurisdiction", "on", "status", "depends"),
    [
        ([BY_THE_UNION], "DE", "2013-03-01", "on-label", False),
        ([BY_THE_UNION], "DE", "2013-02-28", "unknown", False),
        ([BY_THE_UNION], "EU", "2013-02-28", "off-label", False),
        ([BY_THE_UNION], "NO", "2014", "unknown", False),
        ([BY_THE_UNION], "US", "2014", "unknown", False),
        ([BY_THE_UNION], "HR", "2013-06-30", "unknown", False),
        ([BY_THE_UNION], "HR", "2013-07-01", "on-label", False),
        ([BY_THE_UNION], "HR", "2013-07", "on-label", False),
        ([BY_THE_UNION], "HR", "2013", "unknown", True),
        ([BY_THE_UNION], "GB", "2020-12-31", "on-label", False),
        ([BY_THE_UNION], "GB", "2021-01-01", "unknown", False),
        ([BY_THE_UNION, decision("refused", "2012", jurisdiction="DE")], "DE", "2014", "on-label", False),
        ([BY_THE_UNION, decision("refused", "2012", jurisdiction="DE")], "DE", "2013-02-28", "off-label", False),
        ([BY_THE_UNION, decision("approved", "2012", jurisdiction="DE")], "DE", "2013-02-28", "on-label", False),
        ([decision("approved", "2012", jurisdiction="DE")], "EU", "2014", "unknown", False),
        ([decision("withdrawn", "2012", jurisdiction="EU")], "DE", "2014", "off-label", False),
    ],
)
def test_decisions_of_the_union_hold_in_its_states_while_they_belong_to_it(
    decisions: list[Decision], jurisdiction: str, on: str, status: str, depends: bool
) -> None:
    found = standing(decisions, jurisdiction, on)
    assert (found.status, found.depends_on_missing_date) == (status, depends), found.reason


def test_the_union_has_had_the_members_of_its_treaties() -> None:
    members = [code for codes in ACCESSIONS.values() for code in codes.split()]
    assert len(set(members)) == len(members) == 28
    assert set(members) == UNION_LAW.keys()
    assert UNION_LAW.keys() < COUNTRIES
    assert len(COUNTRIES) == 249
    assert sum(under_union_law(code, date(2026, 11, 22)) for code in COUNTRIES) == 27
    assert not under_union_law("NO", date(2026, 11, 22))


def test_the_codes_are_those_of_iso_3166() -> None:
    table = Path("/usr/share/zoneinfo/iso3166.tab")
    if not table.exists():
        pytest.skip("this machine has no table of ISO 3166 to compare with")
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert {line.split("\t")[0] for line in lines} == COUNTRIES


def test_a_row_of_the_union_answers_for_a_member_state_over_http(database: Database) -> None:
    union = record("approvals", {**APPROVAL, "jurisdiction": "EU", "valid_from": "2013-03", "status": "conditional"})
    save_all(database, [union, *(one for one in small_set() if one.id != union.id)], author="test")
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        question = ("example-toxin", "example-pain")
        assert asked(client, *question, "FR", "2014")["approvals"][0]["jurisdiction"] == "EU"
        assert asked(client, *question, "FR", "2014")["status"] == "on-label"
        assert asked(client, *question, "FR", "2013-03-10")["depends_on_missing_date"] is True
        assert asked(client, *question, "US", "2014")["last_checked"] is None


# Properties


def text_of(day: date, parts: int) -> str:
    return day.isoformat()[: (4, 7, 10)[parts - 1]]


days = st.dates(date(2008, 11, 1), date(2012, 2, 28))
partial_dates = st.builds(text_of, days, st.integers(1, 3))
truths = st.sampled_from([True, False, None])


@given(partial_dates, partial_dates)
def test_before_is_true_false_or_open_as_the_days_of_both_say(one: str, other: str) -> None:
    first, second = period(one), period(other)
    possible = {first.first < second.last, first.last < second.first}
    assert first.before(second) is (True if possible == {True} else False if possible == {False} else None)
    assert first.first in first
    assert first.last in first
    assert first.last + timedelta(days=1) not in first


@given(truths, truths)
def test_open_truths_combine_to_what_every_filling_in_would_give(one: bool | None, other: bool | None) -> None:
    fillings = [
        (a, b)
        for a in ([one] if one is not None else [True, False])
        for b in ([other] if other is not None else [True, False])
    ]
    for combined, every in (
        (all_true(one, other), {a and b for a, b in fillings}),
        (any_true(one, other), {a or b for a, b in fillings}),
        (negated(one), {not a for a, _ in fillings}),
    ):
        assert combined is (every.pop() if len(every) == 1 else None)


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        status = draw(st.sampled_from(sorted(POSITIVE | NEGATIVE | {"unknown"})))
        since = draw(st.none() | partial_dates)
        until = draw(st.none() | partial_dates)
        if since is not None and until is not None and period(until).before(period(since)) is not False:
            until = None
        found.append(
            decision(
                status,
                since,
                until,
                id=f"row-{number}",
                as_of=draw(days),
                first_approval=status in POSITIVE and draw(st.booleans()),
                never_began=status in NEGATIVE and since is None and draw(st.booleans()),
                jurisdiction=draw(st.sampled_from(["US", "US", "EU"])),
            )
        )
    return found


def filled_in(draw: Any, row: Decision) -> Decision:
    """The decision with a day for each partial date: one of those that it may stand for."""

    def whole(text: str | None) -> str | None:
        return None if text is None else draw(st.dates(period(text).first, period(text).last)).isoformat()

    return Decision(**{**row.__dict__, "valid_from": whole(row.valid_from), "valid_to": whole(row.valid_to)})


@given(st.data(), decisions(), partial_dates, st.sampled_from(["US", "EU", "DE"]))
def test_a_definite_answer_holds_however_the_missing_parts_are_filled_in(
    data: st.DataObject, rows: list[Decision], on: str, jurisdiction: str
) -> None:
    found = standing(rows, jurisdiction, on)
    asked_for: Period = period(on)
    day = data.draw(st.dates(asked_for.first, asked_for.last)).isoformat()
    whole = [filled_in(data.draw, row) for row in rows]
    if found.status != "unknown":
        assert standing(rows, jurisdiction, day).status == found.status
        assert standing(whole, jurisdiction, day).status == found.status
    elif not found.depends_on_missing_date:
        assert standing(whole, jurisdiction, day).status == "unknown"


@given(decisions(), partial_dates)
def test_an_answer_rests_on_rows_of_its_own_sign_and_place(rows: list[Decision], on: str) -> None:
    found = standing(rows, "US", on)
    assert {row.jurisdiction for row in found.decisions} <= {"US"}
    if found.status == "on-label":
        assert all(row.is_positive for row in found.decisions)
        assert any(row.id in {one.id for one in found.decisions} for row in rows)
    assert found == standing(rows[::-1], "US", on)
    more = [*rows, decision("unknown", "2009", id="says-nothing"), decision("approved", "2008", jurisdiction="JP")]
    assert standing(more, "US", on).status == found.status
