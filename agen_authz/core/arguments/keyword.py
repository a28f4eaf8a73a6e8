"""The keywords of JSON Schema that are checked, by what their values hold; every other keyword only annotates.

Drafts 4, 6, 7, 2019-09 and 2020-12. `format` and the keywords about encoded content are annotations, as they are in
2020-12 without further vocabularies.
"""

DRAFT_4 = "http://json-schema.org/draft-04/schema"
DRAFTS = frozenset(
    {
        DRAFT_4,
        "http://json-schema.org/draft-06/schema",
        "http://json-schema.org/draft-07/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    }
)
# MCP 2026-07-28, "Tool": "Defaults to 2020-12 if no `$schema` field is present".
DEFAULT_DRAFT = "https://json-schema.org/draft/2020-12/schema"

# About the value itself, with schemas that are about the same value.
SAME = frozenset({"not", "if", "then", "else"})
SAME_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
SAME_MAPS = frozenset({"dependentSchemas", "dependencies"})
# About a member of an object, its name, or an item of an array.
MEMBER = frozenset({"additionalProperties", "unevaluatedProperties"})
NAME = frozenset({"propertyNames"})
ITEM = frozenset({"items", "additionalItems", "contains", "unevaluatedItems"})
ITEM_LISTS = frozenset({"prefixItems", "items"})
MEMBER_MAPS = frozenset({"properties", "patternProperties"})
# Hold no schema.
PLAIN = frozenset(
    {
        "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
        "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains",
        "maxProperties", "minProperties", "required", "dependentRequired",
    }
)  # fmt: skip
# Where they lead depends on how one got there.
REFUSED = frozenset({"$dynamicRef", "$recursiveRef"})
SCHEMAS = SAME | MEMBER | NAME | ITEM
LISTS = SAME_LISTS | ITEM_LISTS
MAPS = SAME_MAPS | MEMBER_MAPS
# What an answer may name.
CHECKED = PLAIN | SCHEMAS | LISTS | MAPS
