"""Programs that measure; each runs by itself and says what it found. See `make`."""
