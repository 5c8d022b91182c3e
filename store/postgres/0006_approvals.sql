-- +goose Up

-- Approvals of releases: one row for each comment that gave one, as it was read. Whether it still
-- counts is asked again at every judgment. repository is its name when the comment was read.
CREATE TABLE approval (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    installation_id BIGINT NOT NULL,
    repository_id   BIGINT NOT NULL,
    repository      TEXT NOT NULL,
    release_id      BIGINT NOT NULL,
    revision        TEXT NOT NULL,
    comment_id      BIGINT NOT NULL,
    actor_id        BIGINT NOT NULL,
    login           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    time            BIGINT NOT NULL,
    UNIQUE (repository_id, comment_id)
);

CREATE INDEX approval_release ON approval (repository_id, release_id);

CREATE INDEX approval_actor ON approval (installation_id, actor_id);
