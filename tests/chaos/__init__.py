"""The fault campaign: a real studio at work, everything it consists of killed again and again."""
