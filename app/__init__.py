"""The Treatment Evidence API: treatments and the evidence on them, every number with its source.

Garbage collection is off during import, where it took a third of the time and found nothing to free. A command, and a
service that is ready, turn it on by `enable_collection`.
"""

import gc

gc.disable()

__version__ = "0.3.0"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
"""The licence of the records."""
DISCLAIMER = "Information, not medical advice. Ask a health professional before you act on it."


def enable_collection() -> None:
    """Turn garbage collection on; what was imported until now is never garbage, and no collection looks at it."""
    if not gc.get_freeze_count():
        gc.freeze()
    gc.enable()
