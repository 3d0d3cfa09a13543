"""Known drifts streamed, watched and held against their truth: how late they were noticed, and what they cost."""
