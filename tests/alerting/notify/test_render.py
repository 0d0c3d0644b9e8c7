"""What a person reads on the console."""

from dataclasses import replace

from alerting.notify.render import LONGEST_LIST, text_of, title_of
from tests.alerting.notify.builders import START, firing, notification, resolved

EXPECTED = """\
FIRING A: 1 firing, 1 resolved
  FIRING    The disk is full
            alertname="A" host="x"
            since 2023-11-14T22:13:20.000Z (5m)
  RESOLVED  A
            alertname="A" host="y"
            since 2023-11-14T22:13:20.000Z until 2023-11-14T22:14:20.000Z (1m)"""


def test_a_message_says_what_where_and_since_when() -> None:
    message = notification(firing("A", "The disk is full", host="x"), resolved("A", host="y"))
    assert text_of(message, START + 300) == EXPECTED


def test_a_group_of_different_alerts_is_named_by_its_labels() -> None:
    message = replace(notification(firing("A"), firing("B")), group_labels={"team": "db", "zone": "z"})
    assert title_of(message) == "FIRING team=db zone=z: 2 firing"
    assert title_of(replace(message, group_labels={})) == "FIRING alerts: 2 firing"


def test_a_label_can_not_paint_the_terminal() -> None:
    text = text_of(notification(firing("A", "\x1b[31mred\nsecond line", host="\x07")), START)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert len(text.splitlines()) == 4


def test_a_long_list_is_counted() -> None:
    alerts = [firing("A", host=str(number)) for number in range(LONGEST_LIST + 3)]
    assert text_of(notification(*alerts), START).endswith("  and 3 more")
