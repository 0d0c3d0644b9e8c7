"""The demo's pods write what the rest of the chain can read, and one rule's worth of trouble."""

import json
import re
from pathlib import Path

from fenghuo.up.demo import PodFiles
from fenghuo.up.traffic import BURST_EVERY, NAMESPACE, PODS, in_burst, lines_of_second

START = 1_700_000_000.0


def errors(second: int) -> int:
    lines = lines_of_second(second, START)
    return sum(line.stream == "stderr" for line in lines)


def test_file_names_are_those_of_a_kubelet() -> None:
    for pod in PODS:
        assert re.fullmatch(rf"{pod.name}_{NAMESPACE}_{pod.container}-[0-9a-f]{{64}}\.log", pod.file_name)


def test_lines_are_what_containerd_writes() -> None:
    for line in lines_of_second(0, START):
        assert re.fullmatch(r"2023-11-14T22:13:2\d\.\d{3}Z (stdout|stderr) F \S.*\n", line.cri())


def test_the_first_second_has_a_failed_payment_so_that_its_counter_is_there_before_the_burst() -> None:
    texts = [line.text for line in lines_of_second(0, START) if line.stream == "stderr"]
    assert len(texts) == 2
    assert texts[0].startswith('level=error msg="payment refused: provider timed out"')
    assert json.loads(texts[1])["message"] == "payment failed, order kept for a retry"


def test_the_burst_is_above_the_rule_and_the_rest_below() -> None:
    """LogErrorBurst: more than one a second over a minute, for half a minute, and over within two minutes."""
    rates = [sum(errors(second) for second in range(end - 60, end) if second >= 0) / 60 for end in range(1, 200)]
    above = [end for end, rate in enumerate(rates, 1) if rate > 1]
    assert above == list(range(above[0], above[-1] + 1))
    assert above[0] < 25
    assert above[-1] - above[0] > 45, "long enough for the rule's `for` and two evaluations"
    assert above[-1] < 95, "soon enough for the resolution within two minutes"


def test_the_burst_comes_again() -> None:
    assert not in_burst(0)
    assert in_burst(10)
    assert in_burst(10 + BURST_EVERY)


def test_files_are_bounded(tmp_path: Path) -> None:
    files = PodFiles(tmp_path, largest=2000)
    files.open()
    for second in range(100):
        files.write(lines_of_second(second, START))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {pod.file_name for pod in PODS} | {f"{pod.file_name}.1" for pod in PODS}
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 4000
