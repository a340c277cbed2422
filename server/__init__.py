"""The composition root: settings, wiring, the MCP app, transports and policy."""
