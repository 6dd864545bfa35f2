"""What is read off a curve: peaks, areas, times, half-lives."""
