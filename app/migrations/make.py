"""Write the migration that brings the schema from its history to the models: `make migration MESSAGE="…"`."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.db.database import Database


def main(message: str) -> None:
    """Bring an empty database to the newest version and write down what the models have beyond it."""
    folder = Path(__file__).parent
    number = len(list((folder / "versions").glob("*.py"))) + 1
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/scratch.db")
        database.migrate()
        config = Config()
        config.set_main_option("script_location", str(folder))
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
        database.close()


if __name__ == "__main__":
    main(sys.argv[1])
