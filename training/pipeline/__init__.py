"""From data to a promoted model in one go, each stage skipped where its result stands."""
