"""The engine's own metrics, under the names that Prometheus gave them and that dashboards and mixins know."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Summary

BY_GROUP = ("rule_group",)


class EngineMetrics:
    """All of them, on one registry. The label `rule_group` is `file;name`, as upstream."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, labels: Sequence[str] = BY_GROUP) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"prometheus_rule_group_{name}", text, BY_GROUP, registry=registry)

        def summary(name: str, text: str) -> Summary:
            return Summary(f"prometheus_rule_{name}_duration_seconds", text, registry=registry)

        self.evaluations = counter("prometheus_rule_evaluations", "Rule evaluations.")
        self.failures = counter(
            "prometheus_rule_evaluation_failures", "Rule evaluations that failed; the state was kept."
        )
        self.iterations = counter("prometheus_rule_group_iterations", "Evaluations of a group that were due.")
        self.missed = counter(
            "prometheus_rule_group_iterations_missed", "Evaluations left out because the one before was slow."
        )
        self.evaluation_seconds = summary("evaluation", "Duration of one rule's evaluation.")
        self.group_seconds = summary("group", "Duration of one group's evaluation.")
        self.last_duration = gauge("last_duration_seconds", "Duration of the last evaluation of a group.")
        self.last_evaluation = gauge("last_evaluation_timestamp_seconds", "When a group was last evaluated.")
        self.interval = gauge("interval_seconds", "The interval of a group.")
        self.rules = gauge("rules", "The rules of a group.")
        self.transitions = counter(
            "fenghuo_alerting_transitions", "Steps of alerts through the state table.", ["before", "after"]
        )
        self.storage_failures = counter(
            "fenghuo_alerting_state_storage_failures",
            "Times that rule state could not be stored; tried again later.",
            (),
        )
        self._of_groups = (
            *(self.evaluations, self.failures, self.iterations, self.missed),
            *(self.last_duration, self.last_evaluation, self.interval, self.rules),
        )

    def add_group(self, key: str, interval: float, rules: int) -> None:
        """Show a group from its first moment, with zeros: a rate needs a beginning."""
        for metric in self._of_groups:
            metric.labels(key)
        self.interval.labels(key).set(interval)
        self.rules.labels(key).set(rules)

    def remove_group(self, key: str) -> None:
        """Forget a group that is no longer there."""
        for metric in self._of_groups:
            metric.remove(key)
