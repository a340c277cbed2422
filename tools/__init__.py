"""MCP tools: typed input, one call of the core, a typed result."""
