-- +goose Up

-- Times are microseconds UTC since 1970. Bodies are zstd frames.

-- One webhook as it arrived. id rises in the order of commits, nearly that of arrival.
CREATE TABLE delivery (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    guid            TEXT NOT NULL UNIQUE,
    event           TEXT NOT NULL,
    action          TEXT NOT NULL,
    installation_id BIGINT NOT NULL,
    repository_id   BIGINT NOT NULL,
    received        BIGINT NOT NULL,
    body            BYTEA NOT NULL
);

-- The newest generation of each key. It outlives the jobs.
CREATE TABLE job_key (
    key        TEXT PRIMARY KEY,
    generation BIGINT NOT NULL
);

-- state: 0 ready, 1 later (due in the future), 2 running, 3 buried. A job that ends is deleted.
CREATE TABLE job (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state           BIGINT NOT NULL,
    step            TEXT NOT NULL,
    key             TEXT NOT NULL,
    generation      BIGINT NOT NULL,
    cause           TEXT NOT NULL,
    priority        BIGINT NOT NULL,
    installation_id BIGINT NOT NULL,
    due             BIGINT NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0,
    args            TEXT NOT NULL,
    created         BIGINT NOT NULL,
    last_error      TEXT NOT NULL DEFAULT '',
    worker          TEXT NOT NULL DEFAULT '',
    token           TEXT NOT NULL DEFAULT '',
    lease_until     BIGINT NOT NULL DEFAULT 0
);

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
    n    BIGINT PRIMARY KEY,
    leaf BYTEA NOT NULL
);

-- Hashes under the indexes of golang.org/x/mod/sumdb/tlog.
CREATE TABLE ledger_hash (
    id   BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL
);

CREATE TABLE ledger_checkpoint (
    size    BIGINT PRIMARY KEY,
    note    TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- body is null when the report is in the leaf of its ledger entry.
CREATE TABLE report (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           TEXT NOT NULL,
    generation    BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    repository    TEXT NOT NULL,
    repository_id BIGINT NOT NULL,
    ref           TEXT NOT NULL,
    commit_id     TEXT NOT NULL,
    subject       TEXT NOT NULL,
    verdict       TEXT NOT NULL,
    cause         TEXT NOT NULL,
    policy        TEXT NOT NULL,
    time          BIGINT NOT NULL,
    recorded      BIGINT NOT NULL,
    ledger_index  BIGINT NOT NULL UNIQUE REFERENCES ledger_entry (n),
    body          BYTEA,
    UNIQUE (key, generation)
);

CREATE INDEX report_repository ON report (repository_id, id);
CREATE INDEX report_commit ON report (commit_id, id);

-- The way back from an advisory to what it concerns: package -> version -> uses -> report_blob.
CREATE TABLE package (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ecosystem TEXT NOT NULL,
    name      TEXT NOT NULL,
    UNIQUE (ecosystem, name)
);

CREATE TABLE version (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    package_id BIGINT NOT NULL REFERENCES package (id),
    version    TEXT NOT NULL,
    UNIQUE (package_id, version)
);

-- The packages of one manifest content, kept once however many reports contain it.
CREATE TABLE blob (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest TEXT NOT NULL,
    format TEXT NOT NULL,
    parser TEXT NOT NULL,
    UNIQUE (digest, format, parser)
);

CREATE TABLE uses (
    version_id BIGINT NOT NULL,
    blob_id    BIGINT NOT NULL,
    PRIMARY KEY (version_id, blob_id)
);

-- side: 0 head, 1 base.
CREATE TABLE report_blob (
    blob_id   BIGINT NOT NULL,
    side      BIGINT NOT NULL,
    report_id BIGINT NOT NULL,
    PRIMARY KEY (blob_id, side, report_id)
);

CREATE TABLE publication (
    surface    TEXT NOT NULL,
    key        TEXT NOT NULL,
    generation BIGINT NOT NULL,
    remote_id  BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated    BIGINT NOT NULL,
    PRIMARY KEY (surface, key)
);

CREATE INDEX publication_updated ON publication (surface, updated);

-- size is that of key, etag and body together, as kept.
CREATE TABLE cache (
    key  TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    body BYTEA NOT NULL,
    size BIGINT NOT NULL,
    used BIGINT NOT NULL
);

CREATE INDEX cache_used ON cache (used, size);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Rows of job live for seconds and change state several times: leave room on their pages, and
-- clean up by count instead of by share, so that a long queue does not put it off.
ALTER TABLE job SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.05);

-- zstd frames do not compress further: do not try.
ALTER TABLE delivery ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE ledger_entry ALTER COLUMN leaf SET STORAGE EXTERNAL;
ALTER TABLE report ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE cache ALTER COLUMN body SET STORAGE EXTERNAL;
