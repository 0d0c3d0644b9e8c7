"""`python -m tests.exporters.golden` writes the golden expositions anew; read the diff before you commit it."""

import tempfile
from pathlib import Path

from tests.exporters.machines import FIXTURES, golden_texts

GOLDEN = FIXTURES / "golden"

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in golden_texts(Path(folder)).items():
            (GOLDEN / f"{name}.prom").write_text(text, encoding="utf-8")
