"""A synthetic city with planted cases and its truth. Every person in it is invented by a seed."""
