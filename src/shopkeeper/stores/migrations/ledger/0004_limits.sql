-- Identifiers that name nobody: set aside by a person's word, or since very many family names use them.
CREATE TABLE aside (
    node  BIGINT PRIMARY KEY,
    at    BIGINT NOT NULL,
    actor TEXT NOT NULL,
    why   TEXT NOT NULL,
    names BIGINT NOT NULL
);

-- Identifiers with which more was bought on one day than a person buys: for the review list.
CREATE TABLE busy (
    node   BIGINT PRIMARY KEY,
    days   BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    places BIGINT NOT NULL,
    last   BIGINT NOT NULL
);

-- Telephone numbers that came to somebody else, and since when they are that person's.
CREATE TABLE moved (node BIGINT PRIMARY KEY, since BIGINT NOT NULL);

-- The month in which two were last seen together, kept for numbers that are given out again; 0 where it is not known.
ALTER TABLE edge ADD COLUMN until BIGINT NOT NULL DEFAULT 0;
