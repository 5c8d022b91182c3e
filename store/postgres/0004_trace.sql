-- +goose Up

-- W3C traceparents with a space between them: the one that the job goes on with, and those of
-- the jobs that coalesced with it.
ALTER TABLE job ADD COLUMN trace TEXT NOT NULL DEFAULT '';
