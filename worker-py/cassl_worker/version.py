"""The one home of the worker's version. The controller attaches workers of its own version only."""

VERSION = "0.1.0"
