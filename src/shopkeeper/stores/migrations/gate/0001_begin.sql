-- Deliveries from when their sender was told 200 until they are in the ledger. Numbers are never given again; the
-- running sums say at once how much waits, however long the queue.
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY,
    received_at BIGINT NOT NULL,
    source      TEXT NOT NULL,
    format      TEXT NOT NULL,
    topic       TEXT NOT NULL,
    events      BIGINT NOT NULL,
    octets      BIGINT NOT NULL,
    events_sum  BIGINT NOT NULL,
    octets_sum  BIGINT NOT NULL,
    attempts    INTEGER NOT NULL,
    salt        BLOB NOT NULL,
    body        BLOB NOT NULL
);
CREATE TABLE inbox_end (
    name       TEXT PRIMARY KEY,
    last       BIGINT NOT NULL,
    events_sum BIGINT NOT NULL,
    octets_sum BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO inbox_end (name, last, events_sum, octets_sum) VALUES ('inbox', 0, 0, 0);

-- Who hands things in, with which keys, and what they sign with.
CREATE TABLE source (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE write_key (
    hash       BLOB PRIMARY KEY,
    source     TEXT NOT NULL,
    hint       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE source_secret (
    source     TEXT PRIMARY KEY,
    salt       BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Work for the worker. Arguments and results are sealed: they may name a person.
CREATE TABLE job (
    id         INTEGER PRIMARY KEY,
    verb       TEXT NOT NULL,
    actor      TEXT NOT NULL,
    reference  TEXT NOT NULL,
    state      TEXT NOT NULL,
    step       TEXT NOT NULL,
    progress   DOUBLE PRECISION NOT NULL,
    salt       BLOB NOT NULL,
    arguments  BLOB NOT NULL,
    result     BLOB NOT NULL,
    error      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    began_at   BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX job_waiting ON job (id) WHERE state IN ('waiting', 'running');
CREATE INDEX job_reference ON job (reference) WHERE reference <> '';

-- Numbers that only grow.
CREATE TABLE gate_number (name TEXT PRIMARY KEY, value BIGINT NOT NULL) WITHOUT ROWID;
INSERT INTO gate_number (name, value) VALUES ('generation', 1), ('job', 0);
