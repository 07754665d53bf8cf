"""The only door to Ray: a task done by the nodes of a cluster, led by the worker that a job of Ray has started."""
