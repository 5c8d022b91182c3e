-- +goose Up

-- What is open on a pull request or release by its newest report that reached a verdict, for
-- metrics. severity is checks.Severity; due is 0 when the policy gives no time to cure.
CREATE TABLE open_finding (
    subject         TEXT NOT NULL,
    severity        INTEGER NOT NULL,
    installation_id INTEGER NOT NULL,
    findings        INTEGER NOT NULL,
    since           INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    PRIMARY KEY (subject, severity)
) STRICT, WITHOUT ROWID;

-- The exceptions that accept something of it, with the end of each.
CREATE TABLE open_exception (
    subject         TEXT NOT NULL,
    exception       TEXT NOT NULL,
    repository_id   INTEGER NOT NULL,
    installation_id INTEGER NOT NULL,
    until           INTEGER NOT NULL,
    PRIMARY KEY (subject, exception)
) STRICT, WITHOUT ROWID;
