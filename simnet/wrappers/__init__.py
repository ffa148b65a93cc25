"""A wrapper from file to finished folder: processes, network run, consensus load."""
