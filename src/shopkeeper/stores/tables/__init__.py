"""Other people's databases, read by SQLAlchemy: whatever it has a driver for."""
