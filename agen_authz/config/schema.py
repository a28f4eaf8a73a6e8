"""The configuration file's JSON Schema (draft 2020-12), generated from the models."""

from typing import Any

from agen_authz.config.model import Config


def schema() -> dict[str, Any]:
    """Return the schema; cross-checks between keys are not in it."""
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "agen-authz configuration"}
    return Config.model_json_schema(mode="validation") | title
