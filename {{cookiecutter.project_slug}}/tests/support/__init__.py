"""What tests share, and fixtures are made of."""
