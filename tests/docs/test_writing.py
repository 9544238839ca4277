"""What the guide says of writing works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.web.test_races import running

CHAPTER = ROOT / "docs" / "guide" / "writing.md"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_lines_of_the_guide_write_send_a_batch_and_publish_a_draft(empty_database_url: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall(CHAPTER.read_text(encoding="utf-8"))
    assert len(blocks) == 3
    with running(empty_database_url, workers=1) as server:
        script = "\n".join(blocks).replace("http://127.0.0.1:8000", server.address)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "TEV_DATABASE_URL": empty_database_url}
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=environment, cwd=tmp_path, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        history = json.loads(server.ask("GET", "/v1/conditions/made-up-ache/history")[2])
        reviewed = json.loads(server.ask("GET", "/v1/conditions/made-up-pain/history")[2])["items"][0]
    told = [(item["author"], item["reason"], item["state"]) for item in history["items"]]
    assert told == [
        ("Ana Example", "An example.", "withdrawn"),
        ("Ana Example", "A synonym.", "published"),
        ("Ana Example", None, "published"),
    ]
    said = {name: reviewed[name] for name in ("version", "author", "reason", "reviewer", "note")}
    assert said == {
        "version": 2,
        "author": "Ana Example",
        "reason": "Clearer.",
        "reviewer": "Bo Example",
        "note": "Checked.",
    }
