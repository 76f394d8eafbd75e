"""The capsule of a sweep: one HTML file that holds it, opens offline, and can be imported again."""
