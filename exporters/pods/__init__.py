"""Which pod and container a cgroup belongs to, found without any API."""
