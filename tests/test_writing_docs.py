"""What the README says of writing works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_races import running

BLOCK = re.compile(r"## Writing\n.*?```sh\n(.*?)```", re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_lines_of_the_readme_create_change_and_withdraw_a_record(empty_url: str) -> None:
    match = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert match
    with running(empty_url, workers=1) as server:
        script = match[1].replace("http://127.0.0.1:8000", server.address)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "TEV_DATABASE_URL": empty_url}
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        history = json.loads(server.ask("GET", "/v1/conditions/made-up-ache/history")[2])
    told = [(item["author"], item["reason"], item["state"]) for item in history["items"]]
    assert told == [
        ("Ana Example", "An example.", "withdrawn"),
        ("Ana Example", "A synonym.", "published"),
        ("Ana Example", None, "published"),
    ]
