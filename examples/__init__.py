"""Example catalogues that come with the package."""
