"""Money-laundering monitoring: from transfers to raw alerts."""
