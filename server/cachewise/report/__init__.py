"""Reports: plain data about files, and the texts that are made of it."""
