-- +goose Up

-- Approvals of releases: one row for each comment that gave one, as it was read. Whether it still
-- counts is asked again at every judgment. repository is its name when the comment was read.
CREATE TABLE approval (
    id              INTEGER PRIMARY KEY,
    installation_id INTEGER NOT NULL,
    repository_id   INTEGER NOT NULL,
    repository      TEXT NOT NULL,
    release_id      INTEGER NOT NULL,
    revision        TEXT NOT NULL,
    comment_id      INTEGER NOT NULL,
    actor_id        INTEGER NOT NULL,
    login           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    time            INTEGER NOT NULL,
    UNIQUE (repository_id, comment_id)
) STRICT;

CREATE INDEX approval_release ON approval (repository_id, release_id);

CREATE INDEX approval_actor ON approval (installation_id, actor_id);
