"""The command line, ``scripts/testbed``: build, up, status."""

import argparse
import contextlib
import os
import signal
import sys

from testbed.build import cache_dir, ensure_built, left_over, missing
from testbed.demo import demo
from testbed.errors import ProcessError, TestbedError
from testbed.fleet import NAMES, Fleet
from testbed.parts import EVERYTHING
from testbed.record import record
from testbed.scenarios import ALL, apply_many, by_name
from testbed.workdir import running

END_SIGNALS = {signal.SIGINT, signal.SIGTERM}
CHECK_SECONDS = 1  # how soon a dead child is noticed


def main() -> int:
    """Run the command line; the exit status is 1 when something of the testbed failed."""
    args = _parser().parse_args()
    # SIGTERM ends it as Ctrl-C does: in order, with everything removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        match args.command:
            case "build":
                return _build()
            case "status":
                return _status()
            case "record":
                return _record(args.scenario or [s.name for s in ALL])
            case _:
                return _up(args.spokes, args.rollouts, with_demo=args.demo)
    except TestbedError as e:
        print(f"testbed: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell reports SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the control planes into the cache")
    commands.add_parser("status", help="say what is built and what runs")
    up = commands.add_parser("up", help="start spokes and keep them until Ctrl-C")
    up.add_argument("--spokes", type=int, default=2, metavar="N", help="how many; default 2")
    up.add_argument(
        "--rollouts", type=int, default=0, metavar="N", help="make N small rollouts on each spoke"
    )
    up.add_argument("--demo", action="store_true", help="make rollouts in many states")
    again = commands.add_parser("record", help="play scenarios anew and rewrite tests/testbed/data")
    again.add_argument("scenario", nargs="*", help="which ones; default all")
    return parser


def _build() -> int:
    print(f"everything is built in {ensure_built().root}")
    return 0


def _status() -> int:
    absent = missing(EVERYTHING)
    for part in EVERYTHING:
        state = "not built" if part in absent else "built"
        print(f"{part.name:<20}{part.version:<10}{state:<11}{cache_dir() / part.key}")
    for folder in left_over():
        print(f"not of this version, remove it if no other checkout uses it: {folder}")
    fleets = running()
    for folder, owner in fleets:
        print(f"running: pid {owner}, kubeconfig {folder / 'kubeconfig.yaml'}")
    if not fleets:
        print("no fleet is running")
    return 0


def _up(spokes: int, rollouts: int, *, with_demo: bool) -> int:
    with Fleet(spoke_names(spokes)) as fleet, contextlib.ExitStack() as stack:
        for spoke in fleet.spokes.values() if rollouts else ():
            print(f"making {rollouts} rollouts on {spoke.name} ...", file=sys.stderr)
            apply_many(spoke, rollouts)
        if with_demo:
            print("making rollouts in many states ...", file=sys.stderr)
            shown = stack.enter_context(demo(list(fleet.spokes.values())))
            for moment in shown:
                print(f"  {moment.spoke.name}/{moment.namespace}/{moment.rollout}: {moment.name}")
        _explain(fleet)
        _wait_for_end(fleet)
        print("stopping ...", file=sys.stderr)
    return 0


def _record(names: list[str]) -> int:
    with Fleet(NAMES[:1]) as fleet:
        for name in names:
            for recorded in record(by_name(name), fleet[NAMES[0]]):
                print(recorded, flush=True)
    return 0


def spoke_names(count: int) -> list[str]:
    """``east``, ``west``, then ``spoke-3`` and so on."""
    return [*NAMES[:count], *(f"spoke-{n}" for n in range(len(NAMES) + 1, count + 1))]


def _explain(fleet: Fleet) -> None:
    folders = {fleet.built.program(name).parent for name in ("kubectl", "kubectl-argo-rollouts")}
    path = os.pathsep.join(map(str, sorted(folders)))
    first = next(iter(fleet.spokes))
    print(f"{len(fleet.spokes)} spokes are up: {', '.join(fleet.spokes)}; logs in {fleet.folder}\n")
    print(f"  export KUBECONFIG={fleet.kubeconfig}")
    print(f"  export PATH={path}{os.pathsep}$PATH")
    print(f"  kubectl --context {first} get rollouts --all-namespaces")
    print(f"  kubectl argo rollouts --context {first} --namespace NAMESPACE get rollout NAME\n")
    print("Ctrl-C stops them and removes everything.", flush=True)


def _wait_for_end(fleet: Fleet) -> None:
    """Return at SIGINT or SIGTERM.

    Raises:
        ProcessError: a child died.
    """
    # They stay blocked: Ctrl-C also reaches uv, which passes it on, and a second one must not
    # interrupt the cleaning up.
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    while signal.sigtimedwait(END_SIGNALS, CHECK_SECONDS) is None:
        for process in fleet.processes:
            if not process.running:
                tail = process.log_tail()
                raise ProcessError(f"{process.name} died; log {process.log} ends:\n{tail}")


if __name__ == "__main__":
    sys.exit(main())
