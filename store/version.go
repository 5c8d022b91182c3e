package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
)

// packageKey is a row of package, versionKey one of version.
type (
	packageKey struct{ ecosystem, name string }
	versionKey struct {
		packageID int64
		version   string
	}
)

// versionIDs returns the ids of the packages' versions, ascending, each once. Packages without
// an exact version are left out: no advisory can be matched with them.
//
// Rows are looked up and inserted many at a time, in sorted order, so that two processes on
// PostgreSQL that add the same packages wait for each other instead of locking each other out.
func (t *tx) versionIDs(packages []checks.Package) ([]int64, error) {
	names := make([]packageKey, 0, len(packages))
	for _, p := range packages {
		if p.Version != "" {
			names = append(names, packageKey{text(p.Ecosystem), text(p.Name)})
		}
	}
	slices.SortFunc(names, func(a, b packageKey) int {
		return cmp.Or(cmp.Compare(a.ecosystem, b.ecosystem), cmp.Compare(a.name, b.name))
	})
	packageIDs, err := t.packageIDs(slices.Compact(names))
	if err != nil {
		return nil, err
	}
	versions := make([]versionKey, 0, len(packages))
	for _, p := range packages {
		if p.Version != "" {
			versions = append(versions, versionKey{packageIDs[packageKey{text(p.Ecosystem), text(p.Name)}], text(p.Version)})
		}
	}
	slices.SortFunc(versions, func(a, b versionKey) int {
		return cmp.Or(cmp.Compare(a.packageID, b.packageID), cmp.Compare(a.version, b.version))
	})
	return t.insertVersions(slices.Compact(versions))
}

func (t *tx) packageIDs(names []packageKey) (map[packageKey]int64, error) {
	ids := make(map[packageKey]int64, len(names))
	err := batches(len(names), func(from, to int) error {
		args := make([]any, 0, 2*(to-from))
		for _, n := range names[from:to] {
			args = append(args, n.ecosystem, n.name)
		}
		values := rowsOf(to-from, 2)
		if _, err := t.exec(`INSERT INTO package (ecosystem, name) VALUES `+values+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
		return t.each(`SELECT id, ecosystem, name FROM package WHERE (ecosystem, name) IN (VALUES `+values+`)`, args,
			func(rows *sql.Rows) error {
				var id int64
				var n packageKey
				err := rows.Scan(&id, &n.ecosystem, &n.name)
				ids[n] = id
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("keeping %d packages: %w", len(names), err)
	}
	return ids, nil
}

func (t *tx) insertVersions(versions []versionKey) ([]int64, error) {
	ids := make([]int64, 0, len(versions))
	err := batches(len(versions), func(from, to int) error {
		args := make([]any, 0, 2*(to-from))
		for _, v := range versions[from:to] {
			args = append(args, v.packageID, v.version)
		}
		values := rowsOf(to-from, 2)
		if _, err := t.exec(`INSERT INTO version (package_id, version) VALUES `+values+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
		return t.each(`SELECT v.id FROM version v WHERE (v.package_id, v.version) IN (VALUES `+castRows(to-from)+`)`, args,
			func(rows *sql.Rows) error {
				var id int64
				err := rows.Scan(&id)
				ids = append(ids, id)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("keeping %d versions: %w", len(versions), err)
	}
	slices.Sort(ids)
	return ids, nil
}

// castRows is rowsOf with two columns of which the first is a number, which PostgreSQL cannot
// guess inside VALUES.
func castRows(n int) string {
	var rows []byte
	for i := range n {
		rows = fmt.Appendf(rows, ",(CAST($%d AS BIGINT),$%d)", 2*i+1, 2*i+2)
	}
	return string(rows[1:])
}
