"""Attacks on the studio that must fail; SECURITY.md names for each threat the test that proves."""
