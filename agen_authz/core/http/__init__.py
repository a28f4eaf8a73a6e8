"""Where a request is for, whether it may be asked at all, and where it comes from."""
