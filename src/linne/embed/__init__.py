"""The one pass over the images: what each looks like, and what a network makes of it, kept for good."""
