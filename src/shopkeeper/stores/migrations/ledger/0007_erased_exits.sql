-- Every refresh looks for exits of the erased that are old enough to go: a few rows among millions of passings. They are
-- asked for in the order of their numbers, and by an index in another order SQLite would rather go through everything.
CREATE INDEX audience_erased ON audience (id, at) WHERE cause = 'erasure';
