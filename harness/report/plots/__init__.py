"""The plots of the report, one theme a module."""
