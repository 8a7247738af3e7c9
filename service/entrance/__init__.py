"""How requests come in: connections, deliveries and followers in the loop, all else in threads."""
