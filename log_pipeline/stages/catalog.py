"""All stages by name, in the order in which they run. A new stage is one file and one line here."""

from log_pipeline.stages.level import detect_level
from log_pipeline.stages.pod import identify_pod
from log_pipeline.stages.stage import Stage

CATALOG: dict[str, Stage] = {
    "pod": identify_pod,
    "level": detect_level,
}
