"""The configuration file's JSON Schema (draft 2020-12), generated from the models."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from agen_authz.config.model import Config


class _AsWritten(GenerateJsonSchema):
    """Shows defaults as the file spells them: `10m`, not 600."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        write = schema["schema"].get("serialization", {}).get("function")
        if callable(write) and "default" in shown:
            shown["default"] = write(schema["default"])
        return shown


def schema() -> dict[str, Any]:
    """Return the schema; cross-checks between keys are not in it."""
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "agen-authz configuration"}
    return Config.model_json_schema(mode="validation", schema_generator=_AsWritten) | title
