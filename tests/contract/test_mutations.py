"""The list of controls is whole: each place is in the code, each test exists, and SECURITY.md prints them.

That the tests go red is shown by `make mutations`, which takes some minutes; one control is tried here.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.mutations import CONTROLS, Control, copied, survives

SECURITY = ROOT / "SECURITY.md"
TABLE = re.compile(r"<!-- controls -->\n(.*?)<!-- /controls -->", re.DOTALL)


def table() -> str:
    """The controls as SECURITY.md prints them."""
    rows = [
        f"| {one.risk} | {one.words} | `{one.file}` | `{one.test}` |"
        for one in sorted(CONTROLS, key=lambda one: int(one.risk.removeprefix("API")))
    ]
    return "\n".join(["| risk | control | place | test |", "| --- | --- | --- | --- |", *rows]) + "\n"


@pytest.mark.parametrize("control", CONTROLS, ids=[one.words for one in CONTROLS])
def test_a_control_has_its_place_in_the_code_and_a_test(control: Control) -> None:
    assert control.code in (ROOT / control.file).read_text(encoding="utf-8")
    file, _, name = control.test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_security_md_names_every_control_and_every_risk() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    found = TABLE.search(text)
    assert found is not None
    assert found[1] == table(), "`python -m tests.contract.test_mutations` writes it"
    assert [number for number in range(1, 11) if f"**API{number} " not in text] == []


def test_a_control_that_is_taken_out_is_missed(tmp_path: Path) -> None:
    copied(tmp_path)
    held = next(control for control in CONTROLS if control.words == "A key is never written to a log")
    assert survives(tmp_path, held) is None
    assert (tmp_path / held.file).read_text() == (ROOT / held.file).read_text(), "the copy is whole again"


def write() -> None:
    """Write the controls into SECURITY.md."""
    text = SECURITY.read_text(encoding="utf-8")
    written = TABLE.sub(lambda _: f"<!-- controls -->\n{table()}<!-- /controls -->", text)
    SECURITY.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    write()
