"""Byzantine nodes: what they send, with real keys and really spoiled proofs. A file a kind; honest code knows `Opponent` alone."""
