"""What runs by the clock: messages about requests for approval are sent, and requests end in time."""
