"""From a checked experiment to the steps that change each backend, and back."""
