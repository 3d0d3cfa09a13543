"""Is a money-laundering monitor right? Truth by pattern and customer, worklists, investigators, and the case files."""
