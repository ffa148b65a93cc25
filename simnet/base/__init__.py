"""What every part of the package may use: units, errors, random streams, text and files; nothing about networks or proofs."""
