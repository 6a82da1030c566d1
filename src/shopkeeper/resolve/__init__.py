"""Know who it was: canonical identifiers, and a graph whose components are the customers."""
