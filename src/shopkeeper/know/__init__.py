"""Remember each customer: a fold over the customer's events, and what follows from it."""
