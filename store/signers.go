package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/signers"
	"github.com/landwaiter/landwaiter/store/engine"
)

// maxKnown bounds the signers of one memory. Each but those of the first release was accepted
// by somebody, so that real ones have a handful.
const maxKnown = 1000

// SignerMemory returns what the verified releases of a repository taught, for judging the
// release with that number and those assets (Subject.AssetSet). All of it is of one moment.
// Shared is left empty; see SharedKeys. A repository that taught nothing has the zero Memory.
func (db *DB) SignerMemory(ctx context.Context, repositoryID, releaseID int64, assetSet string) (signers.Memory, error) {
	var m signers.Memory
	err := db.engine.Snapshot(ctx, func(t *engine.Tx) error {
		m = signers.Memory{Known: []signers.Known{}}
		r := remembering{tx: db.in(t), Memory: &m, repository: repositoryID, release: releaseID}
		for _, read := range []func() error{r.version, r.known, r.previous, func() error { return r.seen(assetSet) }} {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return signers.Memory{}, fmt.Errorf("reading who signs the releases of repository %d: %w", repositoryID, err)
	}
	return m, nil
}

// remembering reads one Memory.
type remembering struct {
	*tx
	*signers.Memory
	repository, release int64
}

// optional takes a missing row for one that says nothing.
func optional(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (r remembering) version() error {
	err := r.One(`SELECT version FROM signer_memory WHERE repository_id = $1`, []any{r.repository}, &r.Version)
	if err = optional(err); err != nil {
		return err
	}
	return r.One(`SELECT count(DISTINCT release_id) FROM lesson WHERE repository_id = $1 AND withdrawn = 0`, []any{r.repository}, &r.Releases)
}

// known reads each signer with the first release that taught it and stands, or with the first
// of those that were withdrawn when none stands.
func (r remembering) known() error {
	return r.Each(`SELECT s.profile, l.tag, l.release_id, l.time, l.withdrawn FROM (
			SELECT x.signer_id, coalesce(min(CASE WHEN y.withdrawn = 0 THEN y.id END), min(y.id)) AS lesson_id
			FROM signer z JOIN lesson_signer x ON x.signer_id = z.id JOIN lesson y ON y.id = x.lesson_id
			WHERE z.repository_id = $1 GROUP BY x.signer_id) f
		JOIN signer s ON s.id = f.signer_id JOIN lesson l ON l.id = f.lesson_id
		ORDER BY l.id, s.id LIMIT $2`, []any{r.repository, maxKnown}, func(rows *sql.Rows) error {
		var k signers.Known
		var profile string
		var at, withdrawn int64
		if err := rows.Scan(&profile, &k.Release, &k.ReleaseID, &at, &withdrawn); err != nil {
			return err
		}
		k.Since, k.Withdrawn = seconds(at), withdrawn != 0
		r.Known = append(r.Known, k)
		return json.Unmarshal([]byte(profile), &r.Known[len(r.Known)-1].Profile)
	})
}

// previous reads the names of the newest verified release before this one: before its first
// verification when there was one, so that judging it again compares it with the same.
func (r remembering) previous() error {
	var names string
	err := r.One(`SELECT tag, names FROM lesson WHERE repository_id = $1 AND release_id <> $2 AND withdrawn = 0
			AND id < coalesce((SELECT min(id) FROM lesson WHERE repository_id = $1 AND release_id = $2), 9223372036854775807)
		ORDER BY id DESC LIMIT 1`, []any{r.repository, r.release}, &r.Previous, &names)
	if err != nil {
		return optional(err)
	}
	return json.Unmarshal([]byte(names), &r.Names)
}

func (r remembering) seen(assetSet string) error {
	var at int64
	err := r.One(`SELECT time FROM lesson WHERE repository_id = $1 AND release_id = $2 AND asset_set = $3 AND withdrawn = 0`,
		[]any{r.repository, r.release, engine.Text(assetSet)}, &at)
	if err == nil {
		r.Seen = seconds(at)
	}
	return optional(err)
}

func seconds(micros int64) time.Time { return engine.FromMicros(micros).Truncate(time.Second) }

// SharedKeys counts, for each of keys, the other repositories of the installation with a
// standing release that it signed; keys without any are left out. At most 500 keys are looked
// up. Repositories of other installations never count, and none is named.
func (db *DB) SharedKeys(ctx context.Context, installationID, repositoryID int64, keys []string) (map[string]int, error) {
	shared := map[string]int{}
	if keys = keys[:min(len(keys), 500)]; len(keys) == 0 {
		return shared, nil
	}
	args := []any{installationID, repositoryID}
	for _, k := range keys {
		args = append(args, engine.Text(k))
	}
	err := db.reader(ctx).Each(`SELECT s.key, count(DISTINCT s.repository_id) FROM signer s
		JOIN signer_memory m ON m.repository_id = s.repository_id
		JOIN lesson_signer x ON x.signer_id = s.id JOIN lesson l ON l.id = x.lesson_id
		WHERE m.installation_id = $1 AND s.repository_id <> $2 AND l.withdrawn = 0 AND s.key <> '' AND s.key IN `+engine.List(len(keys), 3)+`
		GROUP BY s.key`, args, func(rows *sql.Rows) error {
		var key string
		var n int
		err := rows.Scan(&key, &n)
		shared[key] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counting the repositories that %d keys sign for: %w", len(keys), err)
	}
	return shared, nil
}

// learn keeps what the release of r teaches when it passed, and withdraws what it taught when
// it failed. It returns ErrConflict when the memory is another than the one r was judged by:
// the caller judges again. What a release with the same assets taught already stays as it is;
// only signers that were accepted since are added.
func (t *tx) learn(r *Record) error {
	s, m := r.Report.Subject, r.Report.Memory
	if s.Kind != checks.KindRelease || s.RepositoryID == 0 || m == nil {
		return nil
	}
	if r.Report.Verdict == checks.Fail {
		return t.withdraw(r)
	}
	if r.Report.Verdict != checks.Pass || s.Draft || m.Teaches == nil {
		return nil
	}
	l := lesson{tx: t, record: r, Lesson: *m.Teaches}
	if err := l.find(); err != nil {
		return err
	}
	missing, err := l.missing()
	if err != nil || l.id != 0 && len(missing) == 0 {
		return err
	}
	if err := l.claim(m.Version); err != nil {
		return err
	}
	return l.write(missing)
}

// withdraw notes that what a release taught does not stand any more.
func (t *tx) withdraw(r *Record) error {
	s := r.Report.Subject
	n, err := t.Exec(`UPDATE lesson SET withdrawn = 1 WHERE repository_id = $1 AND release_id = $2 AND withdrawn = 0`, s.RepositoryID, s.ReleaseID)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.Exec(`UPDATE signer_memory SET version = version + 1 WHERE repository_id = $1`, s.RepositoryID)
	return err
}

// lesson is one release on its way into the memory.
type lesson struct {
	*tx
	record *Record
	signers.Lesson
	id int64 // of the lesson that stands for the same assets, 0 when there is none
}

// find looks for a lesson of the same release and assets. One that was withdrawn is forgotten:
// the evidence may be another by now.
func (l *lesson) find() error {
	s := l.record.Report.Subject
	var withdrawn int64
	err := l.One(`SELECT id, withdrawn FROM lesson WHERE repository_id = $1 AND release_id = $2 AND asset_set = $3`,
		[]any{s.RepositoryID, s.ReleaseID, engine.Text(s.AssetSet)}, &l.id, &withdrawn)
	if err != nil || withdrawn == 0 {
		return optional(err)
	}
	if _, err := l.Exec(`DELETE FROM lesson_signer WHERE lesson_id = $1`, l.id); err != nil {
		return err
	}
	_, err = l.Exec(`DELETE FROM lesson WHERE id = $1`, l.id)
	l.id = 0
	return err
}

// missing returns the signers that the lesson does not hold yet.
func (l *lesson) missing() ([]signers.Profile, error) {
	held := map[string]bool{}
	err := l.Each(`SELECT s.digest FROM lesson_signer x JOIN signer s ON s.id = x.signer_id WHERE x.lesson_id = $1`, []any{l.id}, func(rows *sql.Rows) error {
		var digest string
		err := rows.Scan(&digest)
		held[digest] = true
		return err
	})
	var list []signers.Profile
	for _, p := range l.Signers {
		if !held[p.ID()] {
			list = append(list, p)
		}
	}
	return list, err
}

// claim moves the memory on from version, which must be its own: so of two releases judged at
// the same time, by one process or by two, the second is judged by what the first taught.
func (l *lesson) claim(version int64) error {
	query := `UPDATE signer_memory SET version = version + 1, installation_id = $2 WHERE repository_id = $1 AND version = $3`
	args := []any{l.record.Report.Subject.RepositoryID, l.record.Job.InstallationID, version}
	if version == 0 {
		query, args = `INSERT INTO signer_memory (repository_id, installation_id, version) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING`, args[:2]
	}
	n, err := l.Exec(query, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("the releases of the repository have taught something since: %w", ErrConflict)
	}
	return err
}

// write keeps the lesson, or adds the missing signers to the one there is.
func (l *lesson) write(missing []signers.Profile) error {
	s := l.record.Report.Subject
	if l.id == 0 {
		names, err := encode(l.Names)
		if err != nil {
			return err
		}
		err = l.One(`INSERT INTO lesson (repository_id, release_id, asset_set, tag, time, withdrawn, names) VALUES ($1, $2, $3, $4, $5, 0, $6) RETURNING id`,
			[]any{s.RepositoryID, s.ReleaseID, engine.Text(s.AssetSet), engine.Text(strings.TrimPrefix(s.Ref, "refs/tags/")),
				engine.Micros(l.record.Report.Time), engine.Text(string(names))}, &l.id)
		if err != nil {
			return err
		}
	}
	for _, p := range missing {
		profile, err := encode(p)
		if err != nil {
			return err
		}
		if _, err := l.Exec(`INSERT INTO signer (repository_id, digest, profile, key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			s.RepositoryID, p.ID(), engine.Text(string(profile)), engine.Text(p.Key)); err != nil {
			return err
		}
		if _, err := l.Exec(`INSERT INTO lesson_signer (signer_id, lesson_id) SELECT id, $1 FROM signer WHERE repository_id = $2 AND digest = $3 ON CONFLICT DO NOTHING`,
			l.id, s.RepositoryID, p.ID()); err != nil {
			return err
		}
	}
	return nil
}
