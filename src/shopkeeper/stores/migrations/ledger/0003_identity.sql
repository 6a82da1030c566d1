-- What people decided of two identifiers: one person's, or not. The smaller node first.
CREATE TABLE verdict (
    a          BIGINT NOT NULL,
    b          BIGINT NOT NULL,
    same       INTEGER NOT NULL,
    decided_at BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    why        TEXT NOT NULL,
    PRIMARY KEY (a, b)
) WITHOUT ROWID;
CREATE INDEX verdict_b ON verdict (b, a);

-- What a model believes of two identifiers: log2 of the odds.
CREATE TABLE likeness (
    a        BIGINT NOT NULL,
    b        BIGINT NOT NULL,
    weight   DOUBLE PRECISION NOT NULL,
    model    TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    PRIMARY KEY (a, b)
) WITHOUT ROWID;
CREATE INDEX likeness_b ON likeness (b, a);

-- Who became one customer and who became two, and what caused it; of a merge, the strongest node of each until then.
CREATE TABLE turn (
    id       BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    customer BIGINT NOT NULL,
    other    BIGINT NOT NULL,
    a        BIGINT NOT NULL,
    b        BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    why      TEXT NOT NULL,
    actor    TEXT NOT NULL,
    ours     BIGINT NOT NULL,
    theirs   BIGINT NOT NULL
);
CREATE INDEX turn_customer ON turn (customer, id);
CREATE INDEX turn_other ON turn (other, id);

-- Shared identifiers that somebody looked at and leaves as they are.
CREATE TABLE looked_at (node BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL);
CREATE INDEX member_shared ON member (node) WHERE shared = 1;
