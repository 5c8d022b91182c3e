package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/packed"
	"github.com/landwaiter/landwaiter/store/engine"
)

// CachedInventory returns the manifest saved for a blob, or ErrNotFound. Its Path is that of
// the file it was first read from; the caller sets its own. Packages and Observations are shared
// with others who ask: they are not to be changed.
//
// blobDigest is the git object name. parser is the version of the reader and everything else
// that decides the outcome: the file's base name and the digests of companion files.
func (db *DB) CachedInventory(ctx context.Context, blobDigest, parser string) (checks.Manifest, error) {
	key := inventoryKey(blobDigest, parser)
	if m, ok := db.recent.get(key); ok {
		return m, nil
	}
	c, err := db.Cached(ctx, key)
	if err != nil {
		return checks.Manifest{}, err
	}
	m, err := packed.Decode(c.Body)
	if err != nil {
		return checks.Manifest{}, fmt.Errorf("reading the cached inventory of %s: %w", blobDigest, err)
	}
	db.recent.keep(key, m)
	return m, nil
}

// SaveInventory saves what a reader made of a blob, within the bound of the cache: it may be
// gone later. Whether a manifest with a Gap is worth saving is the caller's choice.
func (db *DB) SaveInventory(ctx context.Context, blobDigest, parser string, m checks.Manifest) error {
	key := inventoryKey(blobDigest, parser)
	if err := db.SaveCached(ctx, key, Cached{Body: packed.Encode(&m)}); err != nil {
		return err
	}
	db.recent.forget(key)
	return nil
}

func inventoryKey(blobDigest, parser string) string { return "inventory:" + blobDigest + ":" + parser }

// The sides of report_blob.
const (
	sideHead = 0
	sideBase = 1
)

// blobLink is one row of report_blob that waits for its report.
type blobLink struct {
	blob int64
	side int
}

// keepInventories keeps the manifests of both sides, each content once, and returns the links
// for the report.
func (t *tx) keepInventories(r *Record) ([]blobLink, error) {
	var links []blobLink
	kept := make(map[[2]string]int64)
	for side, inventory := range []checks.Inventory{sideHead: r.Head, sideBase: r.Base} {
		for i := range inventory.Manifests {
			m := &inventory.Manifests[i]
			if m.Digest == "" {
				continue
			}
			content := [2]string{m.Digest, m.Format}
			id, ok := kept[content]
			if !ok {
				var err error
				if id, err = t.keepBlob(m, r.Parser); err != nil {
					return nil, fmt.Errorf("keeping the inventory of %s: %w", m.Path, err)
				}
				kept[content] = id
			}
			links = append(links, blobLink{id, side})
		}
	}
	slices.SortFunc(links, func(a, b blobLink) int { return cmp.Or(cmp.Compare(a.blob, b.blob), a.side-b.side) })
	return slices.Compact(links), nil
}

func (t *tx) linkBlobs(reportID int64, links []blobLink) error {
	err := t.Batches(len(links), 3, func(from, to int) error {
		args := make([]any, 0, 3*(to-from))
		for _, l := range links[from:to] {
			args = append(args, l.blob, l.side, reportID)
		}
		_, err := t.Exec(`INSERT INTO report_blob (blob_id, side, report_id) VALUES `+engine.Rows(to-from, 3), args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("linking the inventories of report %d: %w", reportID, err)
	}
	return nil
}

// keepBlob returns the id of the manifest's content and keeps its packages when it is new.
func (t *tx) keepBlob(m *checks.Manifest, parser string) (int64, error) {
	key := []any{engine.Text(m.Digest), engine.Text(m.Format), engine.Text(parser)}
	var id int64
	const find = `SELECT id FROM blob WHERE digest = $1 AND format = $2 AND parser = $3`
	if err := t.One(find, key, &id); !errors.Is(err, ErrNotFound) {
		return id, err
	}
	err := t.One(`INSERT INTO blob (digest, format, parser) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`, key, &id)
	if errors.Is(err, ErrNotFound) {
		// Another process on PostgreSQL was first, and has kept the packages as well.
		return id, t.One(find, key, &id)
	}
	if err != nil {
		return 0, err
	}
	versions, err := t.versionIDs(m.Packages)
	if err != nil {
		return 0, err
	}
	return id, t.Batches(len(versions), 2, func(from, to int) error {
		args := make([]any, 0, 2*(to-from))
		for _, version := range versions[from:to] {
			args = append(args, version, id)
		}
		_, err := t.Exec(`INSERT INTO uses (version_id, blob_id) VALUES `+engine.Rows(to-from, 2), args...)
		return err
	})
}

// UsedVersion is one version of a package that some recorded inventory contains.
type UsedVersion struct {
	ID      int64
	Version string
}

// UsedVersions returns the versions of a package in recorded inventories; none when the
// package was never seen. It costs one index lookup then.
func (db *DB) UsedVersions(ctx context.Context, ecosystem, name string) ([]UsedVersion, error) {
	var list []UsedVersion
	err := db.reader(ctx).Each(`SELECT v.id, v.version FROM package p JOIN version v ON v.package_id = p.id
		WHERE p.ecosystem = $1 AND p.name = $2 ORDER BY v.id`, []any{engine.Text(ecosystem), engine.Text(name)},
		func(rows *sql.Rows) error {
			var v UsedVersion
			err := rows.Scan(&v.ID, &v.Version)
			list = append(list, v)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("listing used versions of %s %s: %w", ecosystem, name, err)
	}
	return list, nil
}

// ReportsUsing returns the ids of reports whose head inventory contains one of the versions,
// ascending. Its cost is proportional to the number of answers.
func (db *DB) ReportsUsing(ctx context.Context, versionIDs ...int64) ([]int64, error) {
	var list []int64
	t := db.reader(ctx)
	err := t.Batches(len(versionIDs), 1, func(from, to int) error {
		args := []any{sideHead}
		for _, id := range versionIDs[from:to] {
			args = append(args, id)
		}
		return t.Each(`SELECT DISTINCT b.report_id FROM uses u
			JOIN report_blob b ON b.blob_id = u.blob_id AND b.side = $1
			WHERE u.version_id IN `+engine.List(to-from, 2), args,
			func(rows *sql.Rows) error {
				var id int64
				err := rows.Scan(&id)
				list = append(list, id)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("listing reports that use %d versions: %w", len(versionIDs), err)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
