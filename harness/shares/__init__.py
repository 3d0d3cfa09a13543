"""One stream from several hosts: each sends its share of the cards and collects the answers to it."""
