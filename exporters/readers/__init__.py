"""What collectors of the machine share, or would be too long with: files and answers of the kernel as values."""
