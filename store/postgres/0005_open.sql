-- +goose Up

-- What is open on a pull request or release by its newest report that reached a verdict, for
-- metrics. severity is checks.Severity; due is 0 when the policy gives no time to cure.
CREATE TABLE open_finding (
    subject         TEXT NOT NULL,
    severity        BIGINT NOT NULL,
    installation_id BIGINT NOT NULL,
    findings        BIGINT NOT NULL,
    since           BIGINT NOT NULL,
    due             BIGINT NOT NULL,
    PRIMARY KEY (subject, severity)
);

-- The exceptions that accept something of it, with the end of each.
CREATE TABLE open_exception (
    subject         TEXT NOT NULL,
    exception       TEXT NOT NULL,
    repository_id   BIGINT NOT NULL,
    installation_id BIGINT NOT NULL,
    until           BIGINT NOT NULL,
    PRIMARY KEY (subject, exception)
);
