"""What three or more families share, and what would make one too long to be read in one sitting."""
