"""The control channel: what the supervisor and its workers say to each other, and the socket they say it on."""
