-- +goose Up

-- Times are microseconds UTC since 1970. Bodies are zstd frames.

-- One webhook as it arrived. id rises in the order of commits, nearly that of arrival.
CREATE TABLE delivery (
    id              INTEGER PRIMARY KEY,
    guid            TEXT NOT NULL UNIQUE,
    event           TEXT NOT NULL,
    action          TEXT NOT NULL,
    installation_id INTEGER NOT NULL,
    repository_id   INTEGER NOT NULL,
    received        INTEGER NOT NULL,
    body            BLOB NOT NULL
) STRICT;

-- The newest generation of each key. It outlives the jobs.
CREATE TABLE job_key (
    key        TEXT PRIMARY KEY,
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- state: 0 ready, 1 later (due in the future), 2 running, 3 buried. A job that ends is deleted.
CREATE TABLE job (
    id              INTEGER PRIMARY KEY,
    state           INTEGER NOT NULL,
    step            TEXT NOT NULL,
    key             TEXT NOT NULL,
    generation      INTEGER NOT NULL,
    cause           TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    installation_id INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    args            TEXT NOT NULL,
    created         INTEGER NOT NULL,
    last_error      TEXT NOT NULL DEFAULT '',
    worker          TEXT NOT NULL DEFAULT '',
    token           TEXT NOT NULL DEFAULT '',
    lease_until     INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What coalesces: one waiting job per step and key.
CREATE UNIQUE INDEX job_waiting ON job (step, key) WHERE state < 2;
-- The order of claims: the lanes of a priority are ranges of this index.
CREATE INDEX job_ready ON job (priority, installation_id, due, id) WHERE state = 0;
CREATE INDEX job_later ON job (due) WHERE state = 1;
-- The engine itself refuses two running jobs with one key.
CREATE UNIQUE INDEX job_running ON job (key) WHERE state = 2;
CREATE INDEX job_lease ON job (lease_until) WHERE state = 2;
CREATE UNIQUE INDEX job_buried ON job (step, key) WHERE state = 3;

-- A leaf (zstd) per entry, in order from 0.
CREATE TABLE ledger_entry (
    n    INTEGER PRIMARY KEY,
    leaf BLOB NOT NULL
) STRICT;

-- Hashes under the indexes of golang.org/x/mod/sumdb/tlog.
CREATE TABLE ledger_hash (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE ledger_checkpoint (
    size    INTEGER PRIMARY KEY,
    note    TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- body is null when the report is in the leaf of its ledger entry.
CREATE TABLE report (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL,
    generation    INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    repository    TEXT NOT NULL,
    repository_id INTEGER NOT NULL,
    ref           TEXT NOT NULL,
    commit_id     TEXT NOT NULL,
    subject       TEXT NOT NULL,
    verdict       TEXT NOT NULL,
    cause         TEXT NOT NULL,
    policy        TEXT NOT NULL,
    time          INTEGER NOT NULL,
    recorded      INTEGER NOT NULL,
    ledger_index  INTEGER NOT NULL UNIQUE REFERENCES ledger_entry (n),
    body          BLOB,
    UNIQUE (key, generation)
) STRICT;

CREATE INDEX report_repository ON report (repository_id, id);
CREATE INDEX report_commit ON report (commit_id, id);

-- The way back from an advisory to what it concerns: package -> version -> uses -> report_blob.
CREATE TABLE package (
    id        INTEGER PRIMARY KEY,
    ecosystem TEXT NOT NULL,
    name      TEXT NOT NULL,
    UNIQUE (ecosystem, name)
) STRICT;

CREATE TABLE version (
    id         INTEGER PRIMARY KEY,
    package_id INTEGER NOT NULL REFERENCES package (id),
    version    TEXT NOT NULL,
    UNIQUE (package_id, version)
) STRICT;

-- The packages of one manifest content, kept once however many reports contain it.
CREATE TABLE blob (
    id     INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    format TEXT NOT NULL,
    parser TEXT NOT NULL,
    UNIQUE (digest, format, parser)
) STRICT;

CREATE TABLE uses (
    version_id INTEGER NOT NULL,
    blob_id    INTEGER NOT NULL,
    PRIMARY KEY (version_id, blob_id)
) STRICT, WITHOUT ROWID;

-- side: 0 head, 1 base.
CREATE TABLE report_blob (
    blob_id   INTEGER NOT NULL,
    side      INTEGER NOT NULL,
    report_id INTEGER NOT NULL,
    PRIMARY KEY (blob_id, side, report_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE publication (
    surface    TEXT NOT NULL,
    key        TEXT NOT NULL,
    generation INTEGER NOT NULL,
    remote_id  INTEGER NOT NULL,
    state      TEXT NOT NULL,
    updated    INTEGER NOT NULL,
    PRIMARY KEY (surface, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX publication_updated ON publication (surface, updated);

-- size is that of key, etag and body together, as kept.
CREATE TABLE cache (
    key  TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    body BLOB NOT NULL,
    size INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;

CREATE INDEX cache_used ON cache (used, size);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
