"""`python -m tests.exporters.unprivileged FLAG…`: the exporter as the user nobody, whoever starts it.

A checkout and its Python may lie where nobody has access, so all is imported before the rights are given up.
"""

import ctypes
import importlib
import os
import pkgutil
import sys

import exporters.cli

NOBODY = 65534
PR_SET_DUMPABLE = 4


def become_nobody() -> None:
    """Give up all groups, the user, and with them every capability; and own /proc/self again, as after an exec."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def import_everything() -> None:
    """All of the exporter, and what the standard library loads when it is first needed."""
    for module in pkgutil.walk_packages(exporters.__path__, "exporters."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("base64", "hashlib", "html", "idna", "encodings.idna", "traceback", "linecache"):
        importlib.import_module(name)


if __name__ == "__main__":
    import_everything()
    context = exporters.cli.command.make_context("exporter", sys.argv[1:])
    if os.geteuid() == 0:
        become_nobody()
    exporters.cli.command.invoke(context)
