-- +goose Up

-- The verification summaries of one report: a file of lines, zstd. Its digest is in the leaf.
CREATE TABLE summary (
    ledger_index BIGINT PRIMARY KEY REFERENCES ledger_entry (n),
    report_index BIGINT NOT NULL UNIQUE REFERENCES report (ledger_index),
    key          TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    recorded     BIGINT NOT NULL,
    body         BYTEA NOT NULL,
    UNIQUE (key, generation)
);

-- The way from an asset to its line, zero-based, in a summary.
CREATE TABLE summary_asset (
    digest       TEXT NOT NULL,
    ledger_index BIGINT NOT NULL REFERENCES summary (ledger_index),
    line         BIGINT NOT NULL,
    PRIMARY KEY (digest, ledger_index, line)
);

ALTER TABLE summary ALTER COLUMN body SET STORAGE EXTERNAL;
