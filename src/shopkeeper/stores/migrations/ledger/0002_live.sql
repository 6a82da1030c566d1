-- What live sources told, by the hour in which it was received (hours since 1970).
CREATE TABLE heard (
    source   TEXT NOT NULL,
    hour     BIGINT NOT NULL,
    received BIGINT NOT NULL,
    kept     BIGINT NOT NULL,
    repeated BIGINT NOT NULL,
    refused  BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (source, hour)
) WITHOUT ROWID;
CREATE INDEX quarantine_source ON quarantine (source, reason, id);

-- The same index as before; a list to be in costs SQLite a table of its own for every event that is written.
DROP INDEX event_withdrawal;
CREATE INDEX event_withdrawal ON event (node)
    WHERE name = 'Consent Withdrawn' OR name = 'Email Unsubscribed' OR name = 'Email Marked as Spam';
