"""What people look at, made of finished runs' files: plots and tables, and one HTML page, for which aggregates are made here and drawn by the scripts in
`assets/`."""
