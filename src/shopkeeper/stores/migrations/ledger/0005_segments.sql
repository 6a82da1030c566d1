-- Segments: their definitions with every version, who is in them, and what entered and left when.
-- live: the version in force (0 for none); coming: the one that a sweep brings (0 for none); swept: customers up to this
-- number are of the coming one.
CREATE TABLE segment (
    id     BIGINT PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    state  TEXT NOT NULL,
    live   BIGINT NOT NULL,
    coming BIGINT NOT NULL,
    swept  BIGINT NOT NULL,
    cause  TEXT NOT NULL,
    size   BIGINT NOT NULL
);
CREATE TABLE segment_version (
    segment   BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    title     TEXT NOT NULL,
    sentence  TEXT NOT NULL,
    condition TEXT NOT NULL,
    at        BIGINT NOT NULL,
    actor     TEXT NOT NULL,
    PRIMARY KEY (segment, version)
) WITHOUT ROWID;
CREATE TABLE membership (
    segment  BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    since    BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    PRIMARY KEY (segment, customer)
) WITHOUT ROWID;
CREATE TABLE audience (
    id       BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    segment  BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    entered  INTEGER NOT NULL,
    cause    TEXT NOT NULL
);
CREATE INDEX audience_segment ON audience (segment, id);
CREATE INDEX audience_customer ON audience (customer, id);

-- What is kept of each customer for segments: the state of behaviours in use, and the segments the customer is in.
CREATE TABLE behaviour (customer BIGINT PRIMARY KEY, body BLOB NOT NULL);
-- When time alone may next change something for a customer.
CREATE TABLE due (customer BIGINT PRIMARY KEY, at BIGINT NOT NULL);
CREATE INDEX due_at ON due (at, customer);
