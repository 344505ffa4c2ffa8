"""Building: corpus → keys → runs → filters → bundle."""
