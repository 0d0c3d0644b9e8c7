"""`python -m tests.exporters.golden [NAME…]` writes golden expositions anew, all of them or those named, such as
`node_cpu` of the recorded machine or `v2_crio` of `cgroups.trees`; read the diff before you commit it.
"""

import sys
import tempfile
from pathlib import Path

from tests.exporters.machines import FIXTURES, golden_texts

GOLDEN = FIXTURES / "golden"

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in golden_texts(Path(folder)).items():
            if name in sys.argv[1:] or not sys.argv[1:]:
                (GOLDEN / f"{name}.prom").write_text(text, encoding="utf-8")
