"""What holds for every resource, operation and file."""
