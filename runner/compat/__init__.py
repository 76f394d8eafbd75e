"""Stand-ins for other vendors' client packages, offered to runs whose interpreter lacks them."""
