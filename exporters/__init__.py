"""Node and cgroup metrics of one Linux machine, read when a scraper asks and at no other time."""
