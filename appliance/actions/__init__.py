"""What is done to the world for somebody who came: songs, locks, the office screen."""
