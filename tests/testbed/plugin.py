"""The kubectl plugin of Argo Rollouts: the oracle for what a rollout's status is."""

import os
import subprocess
from pathlib import Path

from testbed.errors import TestbedError
from testbed.plugin_output import RolloutOutput, parse_rollout

COMMAND_SECONDS = 60.0


class PluginError(TestbedError):
    """The plugin ended with an error."""


class Plugin:
    """The plugin's binary, called as the user of a kubeconfig with one context."""

    def __init__(self, program: Path, kubeconfig: Path) -> None:
        self._program = program
        self._kubeconfig = kubeconfig

    def get_rollout(self, name: str, namespace: str = "default") -> RolloutOutput:
        """``get rollout NAME``, parsed.

        Raises:
            PluginError: there is no such rollout, or it may not be read.
            PluginOutputError: the output is not understood.
        """
        return parse_rollout(self.get_rollout_text(name, namespace))

    def get_rollout_text(self, name: str, namespace: str = "default") -> str:
        """``get rollout NAME`` as printed, without colours."""
        return self.run("get", "rollout", name, "--no-color", namespace=namespace)

    def run(self, *args: str, namespace: str = "default") -> str:
        """Any command, such as ``run("promote", "guestbook", "--full")``; returns what it printed.

        Raises:
            PluginError: with what it printed to stderr.
        """
        kubeconfig, scope = f"--kubeconfig={self._kubeconfig}", f"--namespace={namespace}"
        argv = [str(self._program), kubeconfig, scope, *args]
        # Its discovery cache goes beside the kubeconfig, not into the home folder.
        env = {**os.environ, "KUBECACHEDIR": str(self._kubeconfig.parent / "kube-cache")}
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, env=env, timeout=COMMAND_SECONDS
            )
        except subprocess.TimeoutExpired as e:
            raise PluginError(f"{' '.join(args)} in {namespace}: no end after {e.timeout} s") from e
        if done.returncode != 0:
            raise PluginError(
                f"{' '.join(args)} in {namespace} ended with status {done.returncode}: "
                f"{done.stderr.strip()}"
            )
        return done.stdout
