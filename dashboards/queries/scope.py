"""The matchers that every expression shares: what the board's variables select.

`$instance` holds hosts without their port, so that two exporters of one host (9100 and 9101) are one host.
"""

RANGE = "[$__rate_interval]"
"""At least four scrapes wide, whatever the zoom: Grafana computes it."""

ON_HOST = 'instance=~"(?:$instance)(?::[0-9]+)?"'

HOST = f'job="node",{ON_HOST}'

IN_POD = f'job="cgroup",{ON_HOST},namespace=~"$namespace",pod=~"$pod"'

CONTAINER = f'{IN_POD},id=~".*[0-9a-f]{{64}}.*"'
"""Every runtime puts the container's id of 64 digits into its cgroup's path: with and without Kubernetes."""
