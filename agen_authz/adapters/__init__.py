"""What the ports promise, done with real clocks, networks, files and databases; none imports another."""
