"""YAML as authors write calls down: what JSON can say and nothing else, so that a date stays the text that it is."""

from typing import Any

import yaml

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """Reads an unquoted date as text, as clients send it, and no key twice."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            raise yaml.composer.ComposerError(problem="a key is there twice", problem_mark=node.start_mark)
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(text: str) -> Any:
    """Read one document.

    Raises:
        ValueError: it is not YAML; the message names the line and quotes nothing of it.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 a SafeLoader that reads less
    except yaml.MarkedYAMLError as exc:
        line = "" if exc.problem_mark is None else f"line {exc.problem_mark.line + 1}: "
        raise ValueError(f"{line}cannot be read as YAML") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise ValueError("cannot be read as YAML") from exc
