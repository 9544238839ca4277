"""What may be asked: one file a resource, and those of the service, found by importing the files of this folder.

A file declares its paths, parameters and answers, which is what the OpenAPI document shows, and hands the question on
to `web`, `store/read` or `reports`. A file needs a `router` and one tag; nobody keeps a list of them. No SQL belongs
here.
"""

from collections import defaultdict
from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter
from fastapi.routing import APIRoute

_MODULES = [import_module(module.name) for module in iter_modules(__path__, prefix=f"{__name__}.")]

ROUTERS: list[APIRouter] = [module.router for module in _MODULES]
"""Every router. Nobody keeps this list: a new file in this folder is enough."""

ROUTES: list[APIRoute] = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
"""Every route, in the order of the files."""

TAGS: dict[str, str] = {str(module.router.tags[0]): str(module.__doc__) for module in _MODULES}
"""What each group of operations is about: the first line of the file."""

METHODS: dict[str, set[str]] = defaultdict(set)
"""The methods of each path, which may hold names in braces: `/v1/claims/{id}`."""
for _route in ROUTES:
    METHODS[_route.path] |= _route.methods or set()
