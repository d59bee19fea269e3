"""From workers to gateways: what a worker learns is written, what is written is followed."""
