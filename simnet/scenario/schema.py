"""JSON Schema of scenario files, for editors: what the loader takes, generated from the models."""

from typing import Any

from simnet.scenario.model import Scenario
from simnet.scenario.upstream import Traffic, Tx
from simnet.scenario.wrapper import Wrapper

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """Of a traffic profile. `name` is optional (the file's stem), and `[traffic]` may hold the keys of `tx` itself.

    Rules over several keys are not in it: `simnet validate` knows them.
    """
    schema = Scenario.model_json_schema(by_alias=True)
    schema["required"] = [key for key in schema["required"] if key != "name"]
    definitions = schema["$defs"]
    traffic = definitions[Traffic.__name__]
    definitions[Traffic.__name__] = {"anyOf": [traffic, {"$ref": f"#/$defs/{Tx.__name__}"}]}
    return {"$schema": DIALECT, "title": "simnet traffic profile", **_without_title(schema)}


def wrapper_schema() -> dict[str, Any]:
    """Of a wrapper."""
    return {"$schema": DIALECT, "title": "simnet wrapper", **_without_title(Wrapper.model_json_schema(by_alias=True))}


def _without_title(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}
