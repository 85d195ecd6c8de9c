"""`/api/openapi.json`: made from the routes and the structs they answer with, by quart-schema.

In: the app's routes with quart-schema's marks. Out: an OpenAPI 3.1 document. quart-schema leaves out the structs inside
of msgspec structs and knows nothing of our errors: both are put in here. Never changes what a route does.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from quart import Quart
from quart_schema import Info, OpenAPIProvider, QuartSchema
from quart_schema.typing import Model
from quart_schema.validation import QUART_SCHEMA_REQUEST_ATTRIBUTE, QUART_SCHEMA_RESPONSE_ATTRIBUTE
from werkzeug.routing.rules import Rule

from web.answers import Error

REF = "#/components/schemas/{name}"
PATTERNS = {"game_id": r"^[\w-]{1,80}$", "job_id": "^[0-9a-f]{16}$", "name": "^[a-z][a-z0-9-]{0,40}$"}
FILE = {
    "description": "The file that an export made",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
ABOUT = (
    "What the pages use. Access: the session cookie, or `Authorization: Bearer` with the token of "
    "`<runtime dir>/web_token`. Times are Unix milliseconds; null is not known."
)


class Provider(OpenAPIProvider):
    """quart-schema's document, completed."""

    def schema(self) -> dict[str, Any]:
        """Return the document."""
        made = super().schema()
        models = {Error}
        for rule in self.generate_rules():
            view = self._app.view_functions[rule.endpoint]
            models |= {model for model, _ in getattr(view, QUART_SCHEMA_RESPONSE_ATTRIBUTE, {}).values()}
            models |= {asked[0] for asked in [getattr(view, QUART_SCHEMA_REQUEST_ATTRIBUTE, None)] if asked}
        _, components = msgspec.json.schema_components(sorted(models, key=lambda one: one.__name__), ref_template=REF)
        made["components"]["schemas"] = components
        made["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "cookie": {
                "type": "apiKey",
                "in": "cookie",
                "name": "vectra-5000",
                "description": "`vectra-` and the port",
            },
        }
        made["security"] = [{"bearer": []}, {"cookie": []}]
        return made

    def generate_rules(self) -> Iterable[Rule]:
        """Pass over the pages: only the API is described."""
        return (rule for rule in super().generate_rules() if rule.rule.startswith("/api/"))

    def generate_methods(self, rule: Rule) -> Iterable[str]:
        """Pass over HEAD and OPTIONS, which every route has."""
        return sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"})

    def build_response_object(
        self, model: type[Model], headers_model: type[Model] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Name the struct, whose description stands among the components."""
        reference = {"$ref": REF.format(name=model.__name__)}
        return {"description": _first_line(model), "content": {"application/json": {"schema": reference}}}, {}

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add the errors, which every route may answer, and the rules of what stands in the path."""
        paths, components = super().build_paths(rule)
        for methods in paths.values():
            for operation in methods.values():
                problem = {"schema": {"$ref": REF.format(name="Error")}}
                operation["responses"] = {str(status): told for status, told in operation["responses"].items()}
                operation["responses"]["default"] = {
                    "description": "What went wrong, in words and as a code",
                    "content": {"application/json": problem},
                }
                if rule.rule.endswith("/file"):
                    operation["responses"]["200"] = FILE
                for parameter in operation["parameters"]:
                    if parameter["in"] == "path":
                        parameter["schema"] = {"type": "string", "pattern": PATTERNS[parameter["name"]]}
        return paths, components


def describe(app: Quart) -> None:
    """Serve the document."""
    QuartSchema(
        app,
        openapi_path="/api/openapi.json",
        swagger_ui_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        info=Info(title="VECTRA control room", version="1", description=ABOUT),
        openapi_provider_class=Provider,
        conversion_preference="msgspec",
    )


def _first_line(model: Any) -> str:
    return str(model.__doc__ or model.__name__).strip().splitlines()[0]
