"""The Treatment Evidence API: treatments and what is known of them, every number with its source.

While the program loads, nothing is garbage yet, and looking for it took a third of the time. A command, and a service
that is ready, turn the collection on again.
"""

import gc

gc.disable()

__version__ = "0.3.0"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
"""Under which the records may be used."""
DISCLAIMER = "Information, not medical advice. Ask a health professional before you act on it."
