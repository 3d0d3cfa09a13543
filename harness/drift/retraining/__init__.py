"""The answer to drift: a model trained on what labels have arrived, let in through gates, or rolled back."""
