"""The first program of every child: it ties the child's life to its parent's, then becomes it.

Run as ``python -I -S launcher.py PARENT_PID PROGRAM ARG...``. A separate program rather than
``preexec_fn``: Python code between fork and exec can deadlock when the parent has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; survives execve


def main() -> None:
    parent, *argv = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # The parent may have died before prctl: then no signal will ever come.
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main()
