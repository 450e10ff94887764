"""Feature collapse: words in sentences, held against the three types of Laurent, von Brecht and Bresson."""
