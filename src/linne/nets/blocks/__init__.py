"""What three or more families share."""
