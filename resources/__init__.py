"""MCP resources, their templates and completions."""
