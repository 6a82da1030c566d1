-- Which worker holds what, where several share the work (PostgreSQL): a worker's number is an advisory lock that goes
-- with its connection, so that what a dead one held is free at once. Empty where one worker takes everything.
CREATE TABLE claim (
    kind   TEXT NOT NULL,
    id     BIGINT NOT NULL,
    worker BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
