"""From YAML to values and findings: knows how a configuration is written, and no key of ours."""
