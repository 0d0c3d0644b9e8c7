"""From panels to Grafana's classic dashboard JSON: building, layout, rendering, lint. Knows no single board."""
