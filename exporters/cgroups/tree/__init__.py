"""Which cgroups there are, whose they are, under which labels they are published, and how their files are read."""
