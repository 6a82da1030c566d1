-- The log: appended once, never changed. Times are microseconds since 1970 in UTC.
CREATE TABLE event (
    seq         BIGINT PRIMARY KEY,
    key         BLOB NOT NULL,
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    source      TEXT NOT NULL,
    brand       TEXT NOT NULL,
    channel     TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    node        BIGINT NOT NULL,
    others      TEXT NOT NULL,
    payload     BLOB NOT NULL
);
CREATE INDEX event_node ON event (node, occurred_at) WHERE node > 0;
-- Few, and asked for whenever somebody beside a shared address is folded.
CREATE INDEX event_withdrawal ON event (node)
    WHERE name IN ('Consent Withdrawn', 'Email Unsubscribed', 'Email Marked as Spam');

-- Deduplication for ever, also of events that an erasure removed.
CREATE TABLE message (key BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

-- Which lines of which order are known.
CREATE TABLE order_line (key BLOB PRIMARY KEY, lines BLOB NOT NULL) WITHOUT ROWID;

-- An identifier is a node; its value is sealed under its salt.
CREATE TABLE node (
    node       BIGINT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    salt       BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    first_seen BIGINT NOT NULL
);
CREATE TABLE edge (
    a           BIGINT NOT NULL,
    b           BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    why         TEXT NOT NULL,
    PRIMARY KEY (a, b)
) WITHOUT ROWID;
CREATE INDEX edge_b ON edge (b, a);

-- Who is who: derived from nodes and edges, rewritten by merges; the log is not.
CREATE TABLE member (node BIGINT PRIMARY KEY, customer BIGINT NOT NULL, shared INTEGER NOT NULL);
CREATE INDEX member_customer ON member (customer, node);
CREATE TABLE alias (old BIGINT PRIMARY KEY, customer BIGINT NOT NULL);
CREATE INDEX alias_customer ON alias (customer);

-- Personal values told by events, and the blind tokens that find them.
CREATE TABLE sealed (
    node        BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    name        TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (node, seq)
) WITHOUT ROWID;
CREATE TABLE token (token BLOB NOT NULL, node BIGINT NOT NULL, PRIMARY KEY (token, node)) WITHOUT ROWID;
CREATE INDEX token_node ON token (node);
CREATE TABLE erased (hash BLOB PRIMARY KEY, occurred_at BIGINT NOT NULL) WITHOUT ROWID;

-- What is remembered of each customer, and what a refresh predicted.
CREATE TABLE record (
    customer  BIGINT PRIMARY KEY,
    body      BLOB NOT NULL,
    last_at   BIGINT NOT NULL,
    last_key  BLOB NOT NULL,
    reducers  BIGINT NOT NULL,
    catalogue BIGINT NOT NULL,
    orders    BIGINT NOT NULL,
    amount    BIGINT NOT NULL,
    margin    BIGINT NOT NULL,
    last_day  BIGINT NOT NULL,
    country   TEXT NOT NULL
);
CREATE INDEX record_margin ON record (margin, customer);
CREATE INDEX record_orders ON record (orders, customer);
CREATE INDEX record_recent ON record (last_day, customer);
CREATE TABLE prediction (
    run      BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    clv      DOUBLE PRECISION NOT NULL,
    p_alive  DOUBLE PRECISION NOT NULL,
    state    TEXT NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (run, customer)
) WITHOUT ROWID;
CREATE INDEX prediction_clv ON prediction (run, clv, customer);

-- Reference data, imports, what was refused, and kept values.
CREATE TABLE reference (kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE import (id INTEGER PRIMARY KEY, summary BLOB NOT NULL);
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY,
    received_at BIGINT NOT NULL,
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    line        BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    salt        BLOB NOT NULL,
    sealed      BLOB NOT NULL
);
CREATE TABLE quarantine_cell (hash BLOB NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (hash, id)) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
