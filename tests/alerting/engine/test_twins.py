"""Two rules that fire one alert, and rules that come and go."""

from dataclasses import replace

from tests.alerting.engine.builders import group, rule, sample
from tests.alerting.engine.test_engine import Machine, play

TWINS = (group(rule(expr="one")), group(replace(rule(expr="two"), id="twin"), name="other"))


def test_an_alert_that_another_rule_still_fires_is_not_over() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(1, expr="one")
        machine.answer(1, expr="two")
        await machine.start(*TWINS)
        await machine.evaluate(2)
        machine.answer(expr="one")
        await machine.evaluate(2)
        assert "-0" not in machine.told()
        await machine.engine.close()
        machine.sink.alerts.clear()
        await machine.start(*TWINS)  # nor after a restart
        assert machine.told() == ["+0"]
        await machine.engine.apply(machine.rules(TWINS[1]))  # nor when the other rule is taken away
        assert machine.told() == ["+0"]
        machine.answer(expr="two")
        await machine.evaluate(2)
        assert machine.told() == ["+0", "-0"]

    play(story)


def test_a_rule_that_is_gone_leaves_no_status_behind() -> None:
    async def story(machine: Machine) -> None:
        machine.fail()
        await machine.start(group(rule()))
        await machine.evaluate()
        await machine.engine.apply(machine.rules())
        await machine.engine.apply(machine.rules(group(rule())))
        assert machine.view().status.health == "unknown"

    play(story)


def test_a_label_whose_query_fails_resolves_nothing() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(1)
        machine.source.answers["who"] = [sample(1, team="web")]
        await machine.start(group(rule(labels={"team": '{{ query "who" | first | label "team" }}'})))
        await machine.evaluate(2)
        machine.fail("who")
        await machine.evaluate(2)
        assert machine.told() == ["+0"]
        assert "a label" in machine.view().status.last_error

    play(story)
