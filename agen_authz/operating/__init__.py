"""What operators run next to a running gateway: sign a request and verify one."""
