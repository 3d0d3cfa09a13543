"""The money-laundering features: of a transfer, its accounts' histories, and the graph that transfers draw."""
