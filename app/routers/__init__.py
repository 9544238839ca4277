"""Routes of the API and of the website: one module a resource or service, found by importing this package's modules.

A module declares its paths, query parameters and responses, which make the OpenAPI document, and delegates to `web`,
`store/read` or `reports`. Each module needs a `router` with one tag. SQL does not belong here.
"""

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter
from fastapi.routing import APIRoute

_MODULES = [import_module(module.name) for module in iter_modules(__path__, prefix=f"{__name__}.")]

ROUTERS: list[APIRouter] = [module.router for module in _MODULES]
"""Every router, collected automatically from the modules of this package."""

ROUTES: list[APIRoute] = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
"""Every route, in the order of the modules."""

TAGS: dict[str, str] = {str(module.router.tags[0]): str(module.__doc__) for module in _MODULES}
"""The description of each tag in the OpenAPI document: the module's docstring."""
