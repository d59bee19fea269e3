"""What can be done to a rollout: each action as data, and the patches that it means."""
