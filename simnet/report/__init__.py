"""What people look at, made of a finished run's files: plots and tables."""
