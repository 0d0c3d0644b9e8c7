"""The matchers that every expression shares: what the board's variables select.

`$instance` holds hosts without their port, so that two exporters of one host (9100 and 9101) are one host.
"""

RANGE = "[$__rate_interval]"
"""At least four scrapes wide, whatever the zoom: Grafana computes it."""

ON_HOST = 'instance=~"(?:$instance)(?::[0-9]+)?"'

HOST = f'job="node",{ON_HOST}'

CONTAINER = f'job="cgroup",{ON_HOST},namespace=~"$namespace",pod=~"$pod",container!=""'
