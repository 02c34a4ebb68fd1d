"""Training: a plan, a probe, and fine-tuning while the budget lasts."""
