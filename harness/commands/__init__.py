"""The commands of `bench`, one file a group."""
