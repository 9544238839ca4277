"""All that we use of pydantic_core: its JSON parser and writer, and the error by which a validator names its kind."""

from typing import Any

from pydantic_core import PydanticCustomError, from_json, to_json

__all__ = ["Json", "PydanticCustomError", "from_json", "to_json"]

Json = dict[str, Any]
"""A JSON object."""
