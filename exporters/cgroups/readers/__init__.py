"""What several collectors of cgroups read, or what is too long for one of them."""
