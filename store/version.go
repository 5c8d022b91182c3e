package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store/engine"
)

// packageVersion is one version of one package, storable. packageKey is a row of package,
// versionKey one of version.
type (
	packageVersion struct {
		packageKey
		version string
	}
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
	wanted := make([]packageVersion, 0, len(packages))
	for _, p := range packages {
		if p.Version != "" {
			wanted = append(wanted, packageVersion{packageKey{engine.Text(p.Ecosystem), engine.Text(p.Name)}, engine.Text(p.Version)})
		}
	}
	slices.SortFunc(wanted, func(a, b packageVersion) int {
		return cmp.Or(cmp.Compare(a.ecosystem, b.ecosystem), cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	wanted = slices.Compact(wanted)
	known, err := t.knownVersions(wanted)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(wanted))
	for _, id := range known {
		ids = append(ids, id)
	}
	missing := slices.DeleteFunc(wanted, func(v packageVersion) bool { _, ok := known[v]; return ok })
	added, err := t.addVersions(missing)
	if err != nil {
		return nil, err
	}
	ids = append(ids, added...)
	slices.Sort(ids)
	return ids, nil
}

// knownVersions returns the ids of those versions that are kept already: nearly all, once a
// repository has been judged. CROSS JOIN makes SQLite, which has no statistics yet, read the
// tables in this order, by their indexes; PostgreSQL chooses the order itself.
func (t *tx) knownVersions(wanted []packageVersion) (map[packageVersion]int64, error) {
	known := make(map[packageVersion]int64, len(wanted))
	err := t.Batches(len(wanted), 3, func(from, to int) error {
		args := make([]any, 0, 3*(to-from))
		for _, v := range wanted[from:to] {
			args = append(args, v.ecosystem, v.name, v.version)
		}
		return t.Each(`WITH wanted (ecosystem, name, version) AS (VALUES `+engine.Rows(to-from, 3)+`)
			SELECT v.id, w.ecosystem, w.name, w.version FROM wanted w CROSS JOIN package p CROSS JOIN version v
			WHERE p.ecosystem = w.ecosystem AND p.name = w.name AND v.package_id = p.id AND v.version = w.version`, args,
			func(rows *sql.Rows) error {
				var id int64
				var v packageVersion
				err := rows.Scan(&id, &v.ecosystem, &v.name, &v.version)
				known[v] = id
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("looking up %d versions: %w", len(wanted), err)
	}
	return known, nil
}

// addVersions adds versions, which are sorted, and their packages, and returns the ids.
func (t *tx) addVersions(versions []packageVersion) ([]int64, error) {
	names := make([]packageKey, 0, len(versions))
	for _, v := range versions {
		names = append(names, v.packageKey)
	}
	packageIDs, err := t.packageIDs(slices.Compact(names))
	if err != nil {
		return nil, err
	}
	rows := make([]versionKey, 0, len(versions))
	for _, v := range versions {
		rows = append(rows, versionKey{packageIDs[v.packageKey], v.version})
	}
	slices.SortFunc(rows, func(a, b versionKey) int {
		return cmp.Or(cmp.Compare(a.packageID, b.packageID), cmp.Compare(a.version, b.version))
	})
	return t.insertVersions(rows)
}

func (t *tx) packageIDs(names []packageKey) (map[packageKey]int64, error) {
	ids := make(map[packageKey]int64, len(names))
	err := t.Batches(len(names), 2, func(from, to int) error {
		args := make([]any, 0, 2*(to-from))
		for _, n := range names[from:to] {
			args = append(args, n.ecosystem, n.name)
		}
		values := engine.Rows(to-from, 2)
		if _, err := t.Exec(`INSERT INTO package (ecosystem, name) VALUES `+values+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
		return t.Each(`SELECT id, ecosystem, name FROM package WHERE (ecosystem, name) IN (VALUES `+values+`)`, args,
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
	err := t.Batches(len(versions), 2, func(from, to int) error {
		args := make([]any, 0, 2*(to-from))
		for _, v := range versions[from:to] {
			args = append(args, v.packageID, v.version)
		}
		values := engine.Rows(to-from, 2)
		if _, err := t.Exec(`INSERT INTO version (package_id, version) VALUES `+values+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
		return t.Each(`SELECT v.id FROM version v WHERE (v.package_id, v.version) IN (VALUES `+castRows(to-from)+`)`, args,
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
