"""shim.c, compiled, and its control: a full disk, a file that cannot be written to, another time, a log of writes."""

import shutil
import struct
import subprocess
from pathlib import Path

NOTHING, FULL, READ_ONLY = range(3)
SOURCE = Path(__file__).with_name("shim.c")


class Shim:
    """What stands between a server and the system; `environment` puts it there."""

    def __init__(self, folder: Path, *, logs: bool = False) -> None:
        self.control = folder / "shim.control"
        self.log = folder / "shim.log"
        self.log.unlink(missing_ok=True)
        library = folder / "shim.so"
        if not library.exists():
            command = [str(compiler()), "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(command, check=True)
        self.set()
        self.environment = {"LD_PRELOAD": str(library), "SHIM_CONTROL": str(self.control)}
        if logs:
            self.environment["SHIM_LOG"] = str(self.log)

    def set(self, *, seconds: int = 0, fault: int = NOTHING) -> None:
        """Add seconds to the clock, and let writes fail in this way, from now on."""
        with self.control.open("r+b" if self.control.exists() else "wb") as file:
            file.write(struct.pack("qq", seconds, fault))


def compiler() -> str | None:
    """The C compiler; None where there is none."""
    return shutil.which("gcc") or shutil.which("cc")
