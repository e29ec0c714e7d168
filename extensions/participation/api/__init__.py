"""Actions of the Action API about following."""
