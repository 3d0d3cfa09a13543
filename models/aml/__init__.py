"""Training on transfers: whose rows are laundering, which rows teach, and what customers' ranking is worth."""
