-- +goose Up

-- The verification summaries of one report: a file of lines, zstd. Its digest is in the leaf.
CREATE TABLE summary (
    ledger_index INTEGER PRIMARY KEY REFERENCES ledger_entry (n),
    report_index INTEGER NOT NULL UNIQUE REFERENCES report (ledger_index),
    key          TEXT NOT NULL,
    generation   INTEGER NOT NULL,
    recorded     INTEGER NOT NULL,
    body         BLOB NOT NULL,
    UNIQUE (key, generation)
) STRICT;

-- The way from an asset to its line, zero-based, in a summary.
CREATE TABLE summary_asset (
    digest       TEXT NOT NULL,
    ledger_index INTEGER NOT NULL REFERENCES summary (ledger_index),
    line         INTEGER NOT NULL,
    PRIMARY KEY (digest, ledger_index, line)
) STRICT, WITHOUT ROWID;
