-- +goose Up

-- The memory of who signs the releases of a repository. version rises with every change.
CREATE TABLE signer_memory (
    repository_id   INTEGER PRIMARY KEY,
    installation_id INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;

-- One release as it was verified with one set of assets. names is a JSON list.
-- withdrawn: 0 it stands, 1 the release has failed since.
CREATE TABLE lesson (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    release_id    INTEGER NOT NULL,
    asset_set     TEXT NOT NULL,
    tag           TEXT NOT NULL,
    time          INTEGER NOT NULL,
    withdrawn     INTEGER NOT NULL,
    names         TEXT NOT NULL,
    UNIQUE (repository_id, release_id, asset_set)
) STRICT;

CREATE INDEX lesson_order ON lesson (repository_id, id);

-- profile is JSON; digest names it. key is that of a key, '' for all others.
CREATE TABLE signer (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    digest        TEXT NOT NULL,
    profile       TEXT NOT NULL,
    key           TEXT NOT NULL,
    UNIQUE (repository_id, digest)
) STRICT;

CREATE INDEX signer_key ON signer (key, repository_id) WHERE key <> '';

CREATE TABLE lesson_signer (
    signer_id INTEGER NOT NULL,
    lesson_id INTEGER NOT NULL,
    PRIMARY KEY (signer_id, lesson_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX lesson_signer_lesson ON lesson_signer (lesson_id);
