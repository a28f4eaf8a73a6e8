"""What authors of policies ask before they activate one: what it decides, whom it touches, what it changes."""
