-- Who may: accounts, sessions, one-time links, API keys, throttled tries and the audit log.
-- Instants are microseconds since 1970 in UTC; tokens, keys and addresses are kept as hashes only.

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    pseudonym BLOB NOT NULL UNIQUE,    -- of the e-mail address
    salt BLOB NOT NULL,
    sealed BLOB NOT NULL,              -- e-mail address and name
    role TEXT NOT NULL,
    password TEXT,                     -- argon2id, NULL where somebody signs in elsewhere or not yet
    subject BLOB UNIQUE,               -- pseudonym of the identity provider and its subject
    disabled INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL       -- 0: never
);

CREATE TABLE web_session (
    token BLOB PRIMARY KEY,
    account BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    device TEXT NOT NULL
);

CREATE INDEX web_session_account ON web_session (account);

CREATE TABLE link (
    token BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    account BIGINT NOT NULL,           -- 0: nobody yet
    ends_at BIGINT NOT NULL
);

CREATE TABLE api_key (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    ends_at BIGINT NOT NULL,           -- 0: never
    used_at BIGINT NOT NULL,           -- 0: never
    revoked_at BIGINT NOT NULL         -- 0: not
);

CREATE TABLE tries (
    subject BLOB PRIMARY KEY,
    failed INTEGER NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,             -- a customer id, an account, a key, or empty
    permission TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    chain BLOB NOT NULL                -- keyed hash of this line and the chain before it
);

CREATE INDEX audit_subject ON audit (subject, id);

CREATE INDEX audit_actor ON audit (actor, id);

INSERT INTO gate_number (name, value) VALUES ('account', 0), ('api_key', 0), ('audit', 0);
