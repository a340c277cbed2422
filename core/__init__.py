"""What an experiment is: model, checks, planning, ports, and one method per use case."""
