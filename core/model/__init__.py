"""The nouns: surfaces, metrics, audiences, experiments, findings, plans and operations."""
