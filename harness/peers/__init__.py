"""Our engines beside other people's runtimes that do the same job: `bench peers`."""
