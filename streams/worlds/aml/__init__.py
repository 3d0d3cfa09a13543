"""The money-laundering world: people, businesses, their accounts and transfers in several markets, and launderers."""
