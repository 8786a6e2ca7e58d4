"""The documentation site: a static page for every policy, folder, framework, section, rule, type and operation."""
