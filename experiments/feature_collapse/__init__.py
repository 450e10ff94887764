"""Feature collapse: words in sentences, compared with the three types of Laurent, von Brecht and Bresson."""
