"""`make soak`: mixed traffic with reloads, key rotations, outages and aborted clients; every answer is compared."""
