-- What is said of a customer may be written live: somebody who came after the refresh has a state and no value yet.
-- turns_at: when time alone will change what is said; stood: when it was last written live, 0 for as the refresh left it.
CREATE TABLE prediction_kept (
    run      BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    clv      DOUBLE PRECISION,
    p_alive  DOUBLE PRECISION,
    state    TEXT NOT NULL,
    body     BLOB NOT NULL,
    turns_at BIGINT NOT NULL,
    stood    BIGINT NOT NULL,
    PRIMARY KEY (run, customer)
) WITHOUT ROWID;
INSERT INTO prediction_kept SELECT run, customer, clv, p_alive, state, body, 4611686018427387904, 0 FROM prediction;
DROP TABLE prediction;
ALTER TABLE prediction_kept RENAME TO prediction;
CREATE INDEX prediction_clv ON prediction (run, clv, customer);
CREATE INDEX prediction_turns ON prediction (run, turns_at, customer);
CREATE INDEX prediction_stood ON prediction (run, customer) WHERE stood > 0;
