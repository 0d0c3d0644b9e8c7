"""The engine's own metrics, under the names that Prometheus gave them and that dashboards and mixins know."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Summary


class EngineMetrics:
    """All of them, on one registry. The label `rule_group` is `file;name`, as upstream."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_group = ["rule_group"]
        self.evaluations = Counter("prometheus_rule_evaluations", "Rule evaluations.", by_group, registry=registry)
        self.failures = Counter(
            "prometheus_rule_evaluation_failures",
            "Rule evaluations that failed; the state was kept.",
            by_group,
            registry=registry,
        )
        self.evaluation_seconds = Summary(
            "prometheus_rule_evaluation_duration_seconds", "Duration of one rule's evaluation.", registry=registry
        )
        self.iterations = Counter(
            "prometheus_rule_group_iterations", "Evaluations of a group that were due.", by_group, registry=registry
        )
        self.missed = Counter(
            "prometheus_rule_group_iterations_missed",
            "Evaluations of a group that were due and left out, because the one before was slow.",
            by_group,
            registry=registry,
        )
        self.group_seconds = Summary(
            "prometheus_rule_group_duration_seconds", "Duration of one group's evaluation.", registry=registry
        )
        self.last_duration = Gauge(
            "prometheus_rule_group_last_duration_seconds",
            "Duration of the last evaluation of a group.",
            by_group,
            registry=registry,
        )
        self.last_evaluation = Gauge(
            "prometheus_rule_group_last_evaluation_timestamp_seconds",
            "When a group was last evaluated.",
            by_group,
            registry=registry,
        )
        self.interval = Gauge(
            "prometheus_rule_group_interval_seconds", "The interval of a group.", by_group, registry=registry
        )
        self.rules = Gauge("prometheus_rule_group_rules", "The rules of a group.", by_group, registry=registry)
        self.transitions = Counter(
            "fenghuo_alerting_transitions",
            "Steps of alerts through the state table.",
            ["before", "after"],
            registry=registry,
        )
        self.storage_failures = Counter(
            "fenghuo_alerting_state_storage_failures",
            "Times that rule state could not be stored; it is stored again with the next evaluation.",
            registry=registry,
        )

    def add_group(self, key: str, interval: float, rules: int) -> None:
        """Show a group from its first moment, with zeros: a rate needs a beginning."""
        for counter in (self.evaluations, self.failures, self.iterations, self.missed):
            counter.labels(key)
        self.interval.labels(key).set(interval)
        self.rules.labels(key).set(rules)

    def remove_group(self, key: str) -> None:
        """Forget a group that is no longer there."""
        for metric in (
            self.evaluations,
            self.failures,
            self.iterations,
            self.missed,
            self.last_duration,
            self.last_evaluation,
            self.interval,
            self.rules,
        ):
            if (key,) in metric._metrics:  # noqa: SLF001 - prometheus_client has no way to ask
                metric.remove(key)
