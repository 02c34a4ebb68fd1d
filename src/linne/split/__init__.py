"""Which images train, validate and test: stratified by class, grouped, proven not to leak."""
