"""What runs by the clock: people are told of requests for approval, and requests end in time."""
