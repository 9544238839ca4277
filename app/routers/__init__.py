"""Routes of the API and of the website: one module a resource or service, found by the files of this package.

A module declares its paths, query parameters and responses, which make the OpenAPI document, and delegates to `web`,
`store/read` or `reports`. Each module needs a `router` with one tag. SQL does not belong here.

A module is imported when a request reaches one of its routes. What its routes are is known before from `routes.json`,
which `make openapi` writes. It holds a digest of each module, and one of the sources that declare routes for several:
a module that has changed since, or is new, is imported at the start, so that the routes are those of the program.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi.routing import APIRoute

from app.json_codec import from_json
from app.web.late_routes import LateRoute

_FOLDER = Path(__file__).parent
INDEX = _FOLDER / "routes.json"
SHARED = (
    "fields.py",
    "models/*.py",
    "pages/records.py",
    "reports/cards.py",
    "web/resources.py",
    "web/writes/routes.py",
)
"""The sources by which modules of this package declare routes for each resource."""
NAMES = sorted(file.stem for file in _FOLDER.glob("*.py") if file.stem != "__init__")
"""The names of this package's modules."""


def module_named(name: str) -> ModuleType:
    """A module of this package, imported when it was not yet."""
    return import_module(f"{__name__}.{name}")


def tag_descriptions() -> dict[str, str]:
    """The description of each tag in the OpenAPI document: the module's docstring. Imports every module."""
    modules = [module_named(name) for name in NAMES]
    return {str(module.router.tags[0]): str(module.__doc__) for module in modules}


def index_of_routes() -> dict[str, Any]:
    """The content of `routes.json`, from the modules themselves. Imports every module."""
    modules = {
        name: {
            "digest": _digest([_FOLDER / f"{name}.py"]),
            "routes": [[*sorted(route.methods), route.path] for route in module_named(name).router.routes],
        }
        for name in NAMES
    }
    return {"shared": _shared_digest(), "modules": modules}


def _shared_digest() -> str:
    return _digest(file for pattern in SHARED for file in sorted(_FOLDER.parent.glob(pattern)))


def _digest(files: Iterable[Path]) -> str:
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _routes() -> Iterator[LateRoute]:
    """Every route in the order of the modules, from the index where that holds."""
    index: dict[str, Any] = from_json(INDEX.read_bytes()) if INDEX.exists() else {}
    known = index["modules"] if index.get("shared") == _shared_digest() else {}
    for name in NAMES:
        entry = known.get(name)
        if entry is not None and entry["digest"] == _digest([_FOLDER / f"{name}.py"]):
            yield from (_indexed(name, place, *words) for place, words in enumerate(entry["routes"]))
        else:
            yield from module_named(name).router.routes


def _indexed(name: str, place: int, method: str, path: str) -> LateRoute:
    """A route of a module that is imported when the route is built."""

    def build(is_documented: bool) -> APIRoute:
        route: LateRoute = module_named(name).router.routes[place]
        return route.build(is_documented)

    return LateRoute(path, frozenset({method}), build)


ROUTES: list[LateRoute] = list(_routes())
"""Every route, in the order of the modules."""
