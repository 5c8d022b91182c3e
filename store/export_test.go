package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// filled is a fixture with something of everything the store keeps, closed.
func filled(t *testing.T, url string) *fixture {
	t.Helper()
	f := newFixture(t, url)
	for i := range 40 {
		must(t, f.SetSetting(t.Context(), fmt.Sprintf("setting:%d", i), "{\"x\":\"\u2028<é>\"}"))
		_, err := receive(t.Context(), f.DB, delivery(i))
		must(t, err)
	}
	for i := range 11 {
		f.storeRecord(t, record(fmt.Sprintf("pr:%d", i), int64(i+1)))
	}
	f.storeRecord(t, f.published(t, shop, 1, 1, releaseYML, pgpKey))
	f.enqueue(t, store.Job{Step: "judge", Key: "pr:1:2:x", Args: []byte(`{"a":1}`)}, store.Job{Step: "judge", Key: "later", Due: f.clock.Now().Add(time.Hour)})
	buried := f.claim(t, 3)
	must(t, f.Bury(t.Context(), buried[0], "because"))
	must(t, f.SaveCached(t.Context(), "k", store.Cached{ETag: "e", Body: []byte("body")}))
	must(t, f.SavePublication(t.Context(), store.Publication{Surface: "check", Key: "pr:1", Generation: 1, RemoteID: 1 << 40, State: "{}"}))
	_, err := f.RecordSummary(t.Context(), f.verdict(t, "release:42:9", 1, checks.Pass))
	must(t, err)
	f.makeUp(t)
	must(t, f.Close())
	return f
}

// makeUp gives every table that has no row yet one that the schema allows, so that a new table is
// part of these tests from its first day.
func (f *fixture) makeUp(t *testing.T) {
	t.Helper()
	for table, rows := range rowsOf(t, f.config.URL) {
		if len(rows) > 1 {
			continue
		}
		values := make([]string, 0, 8)
		for _, name := range strings.Split(rows[0], ",") {
			values = append(values, f.valueFor(t, table, name))
		}
		f.behindTheBack(t, fmt.Sprintf(`INSERT INTO %s (%s)`, table, rows[0])+f.overriding()+` VALUES (`+strings.Join(values, ", ")+`)`)
	}
}

// overriding lets a row bring its number with it.
func (f *fixture) overriding() string {
	if strings.HasPrefix(f.config.URL, "postgres") {
		return " OVERRIDING SYSTEM VALUE"
	}
	return ""
}

// valueFor returns SQL for a value of the kind that the schema files of SQLite give the column.
func (f *fixture) valueFor(t *testing.T, table, column string) string {
	t.Helper()
	files, err := filepath.Glob("sqlite/*.sql")
	must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		_, body, ok := strings.Cut(string(text), "CREATE TABLE "+table+" (")
		if !ok {
			continue
		}
		for _, line := range strings.Split(body, "\n") {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != column {
				continue
			}
			return map[string]string{"INTEGER": "7", "TEXT": "'x é'", "BLOB": "CAST('x' AS " + f.blob() + ")"}[strings.Trim(fields[1], ",")]
		}
	}
	t.Fatalf("no schema file says what %s.%s is", table, column)
	return ""
}

func (f *fixture) blob() string {
	if f.overriding() != "" {
		return "BYTEA"
	}
	return "BLOB"
}

// moved exports from and imports into a new database at url, and returns that as a fixture with the
// same key and checkpoint file, closed.
func moved(t *testing.T, from *fixture, url string) (*fixture, []byte) {
	t.Helper()
	var b bytes.Buffer
	out, err := store.Export(t.Context(), from.config, &b, nil)
	must(t, err)
	to := &fixture{clock: from.clock, config: from.config}
	to.config.URL = url
	in, err := store.Import(t.Context(), to.config, bytes.NewReader(b.Bytes()), nil)
	must(t, err)
	if d := cmp.Diff(out, in); d != "" {
		t.Fatalf("imported is not what was exported (-exported +imported):\n%s", d)
	}
	return to, b.Bytes()
}

// rowsOf reads all tables without the store: the names of tables and columns come from the schema
// of the engine, and each row is its values as text, sorted.
func rowsOf(t *testing.T, url string) map[string][]string {
	t.Helper()
	driver, tables := "sqlite", `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version'`
	if strings.HasPrefix(url, "postgres") {
		driver, tables = "pgx", `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`
	}
	db, err := sql.Open(driver, url)
	must(t, err)
	defer db.Close()
	all := map[string][]string{}
	for _, table := range texts(t, db, tables) {
		rows, err := db.Query(`SELECT * FROM ` + table)
		must(t, err)
		names, err := rows.Columns()
		must(t, err)
		all[table] = []string{strings.Join(names, ",")}
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		var list []string
		for rows.Next() {
			must(t, rows.Scan(into...))
			list = append(list, fmt.Sprintf("%T%v", values, values))
		}
		must(t, rows.Err())
		slices.Sort(list)
		all[table] = append(all[table], list...)
	}
	return all
}

func texts(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	must(t, err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		list = append(list, s)
	}
	must(t, rows.Err())
	return list
}

// TestExportCarriesEverything moves a database to the other engine and back: every table and column
// that the schema has, with at least one row each, is the same afterwards. A new table
// is among them by itself, and fails the test when it cannot be carried.
func TestExportCarriesEverything(t *testing.T) {
	t.Parallel()
	first := filled(t, storetest.SQLite(t))
	before := rowsOf(t, first.config.URL)
	for table, rows := range before {
		if len(rows) < 2 {
			t.Errorf("table %s has no row, so nobody sees whether it is carried", table)
		}
	}
	second, _ := moved(t, first, storetest.Postgres(t))
	if d := cmp.Diff(before, rowsOf(t, second.config.URL)); d != "" {
		t.Errorf("SQLite to PostgreSQL (-before +after):\n%s", d)
	}
	third, _ := moved(t, second, storetest.SQLite(t))
	if d := cmp.Diff(before, rowsOf(t, third.config.URL)); d != "" {
		t.Errorf("and back (-before +after):\n%s", d)
	}
}

// TestImportedStoreGoesOn works with a moved database: the ledger continues, numbers go on where
// they were, jobs that waited run.
func TestImportedStoreGoesOn(t *testing.T) {
	t.Parallel()
	for name, engines := range map[string][2]func(testing.TB) string{
		"SQLite to PostgreSQL": {storetest.SQLite, storetest.Postgres},
		"PostgreSQL to SQLite": {storetest.Postgres, storetest.SQLite},
		"SQLite to SQLite":     {storetest.SQLite, storetest.SQLite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := moved(t, filled(t, engines[0](t)), engines[1](t))
			f.DB = f.open(t)
			head, _, err := f.LedgerHead(t.Context())
			must(t, err)
			if head.Size != 14 {
				t.Errorf("the ledger has %d entries, want 14", head.Size)
			}
			f.storeRecord(t, record("pr:100", 100))
			must(t, f.VerifyLedger(t.Context(), nil))
			if fresh, err := receive(t.Context(), f.DB, delivery(1000)); !fresh || err != nil {
				t.Errorf("a new delivery: fresh %v, %v", fresh, err)
			}
			if fresh, err := receive(t.Context(), f.DB, delivery(7)); fresh || err != nil {
				t.Errorf("a delivery from before: fresh %v, %v", fresh, err)
			}
			if jobs := f.claim(t, 100); len(jobs) < 39 {
				t.Errorf("%d jobs can be claimed, want those that waited", len(jobs))
			}
		})
	}
}

func TestExportRefusesAServiceThatRuns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := store.Export(t.Context(), f.config, io.Discard, nil)
		wantError(t, err, store.ErrInUse)
		_, err = store.Import(t.Context(), f.config, bytes.NewReader(nil), nil)
		wantError(t, err, store.ErrInUse)
	})
}

// TestImportRefuses starts each case from an export that can be imported and changes one thing.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	from := filled(t, storetest.SQLite(t))
	_, good := moved(t, from, storetest.SQLite(t))
	lines := strings.SplitAfter(string(unpack(t, good)), "\n")
	find := func(part string) int {
		for i, l := range lines {
			if strings.Contains(l, part) {
				return i
			}
		}
		t.Fatalf("no line with %q", part)
		return 0
	}
	edit := func(i int, with ...string) []byte {
		var all []string
		all = append(append(append(all, lines[:i]...), with...), lines[i+1:]...)
		return pack(t, strings.Join(all, ""))
	}
	row := find(`"setting:3"`)
	cases := map[string]struct {
		export []byte
		says   string
	}{
		"no export":            {[]byte("no export at all"), "no export"},
		"empty":                {nil, "no export"},
		"cut in the middle":    {good[:len(good)/2], ""},
		"cut at a line":        {pack(t, strings.Join(lines[:row], "")), "unexpected EOF"},
		"a row is missing":     {edit(row), "the export says"},
		"a row is changed":     {edit(row, strings.Replace(lines[row], "setting:3", "setting:X", 1)), "digest"},
		"a row is there twice": {edit(row, lines[row], lines[row]), ""},
		"a row too short":      {edit(row, "[\"setting:3\"]\n"), "1 values for 2 columns"},
		"a number as text":     {edit(find(`"pr:1:2:x"`), "[\"1\"]\n"), "values"},
		"text with a NUL":      {edit(row, "[\"a\\u0000\",\"\"]\n"), "cannot carry"},
		"the last line":        {pack(t, strings.Join(lines[:len(lines)-2], "")), "unexpected EOF"},
		"more behind the end":  {pack(t, strings.Join(lines, "")+"{}\n"), "follows the end"},
		"another format":       {edit(0, strings.Replace(lines[0], "export/1", "export/9", 1)), "format"},
		"another schema":       {edit(0, strings.Replace(lines[0], `"schema":`, `"schema":9`, 1)), "made with schema 9"},
		"an unknown column":    {edit(0, strings.Replace(lines[0], `"etag"`, `"etags"`, 1)), "cache.etags"},
		"a table is left out":  {edit(0, strings.Replace(lines[0], `{"name":"setting"`, `{"name":"settings"`, 1)), "settings"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := from.config
			config.URL = storetest.SQLite(t)
			_, err := store.Import(t.Context(), config, bytes.NewReader(c.export), nil)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want an error that says %q", err, c.says)
			}
			for table, rows := range rowsOf(t, config.URL) {
				if len(rows) > 1 {
					t.Errorf("table %s has %d rows after a refused import", table, len(rows)-1)
				}
			}
			// Nothing is in the way of the right one.
			_, err = store.Import(t.Context(), config, bytes.NewReader(good), nil)
			must(t, err)
		})
	}
}

// TestImportVerifiesTheLedger imports an export that is consistent in itself, but whose ledger was
// changed, was signed by another key, or is behind what is known outside.
func TestImportVerifiesTheLedger(t *testing.T) {
	t.Parallel()
	from := filled(t, storetest.SQLite(t))
	_, good := moved(t, from, storetest.SQLite(t))
	into := func(t *testing.T, change func(*store.Config)) error {
		t.Helper()
		config := from.config
		config.URL = storetest.SQLite(t)
		change(&config)
		_, err := store.Import(t.Context(), config, bytes.NewReader(good), nil)
		return err
	}
	var tampered *store.TamperedError
	err := into(t, func(c *store.Config) {
		key, err := store.LedgerKey(filepath.Join(t.TempDir(), "key"), "landwaiter.example/ledger")
		must(t, err)
		c.LedgerKey = key
	})
	if !errors.As(err, &tampered) {
		t.Errorf("another key: got %v, want a TamperedError", err)
	}
	older := filled(t, storetest.SQLite(t))
	var b bytes.Buffer
	_, err = store.Export(t.Context(), older.config, &b, nil)
	must(t, err)
	older.DB = older.open(t)
	older.storeRecord(t, record("pr:50", 50))
	must(t, older.Close())
	config := older.config
	config.URL = storetest.SQLite(t)
	if _, err = store.Import(t.Context(), config, &b, nil); !errors.As(err, &tampered) || !strings.Contains(err.Error(), "1 entries more") {
		t.Errorf("an older export: got %v, want a TamperedError that says how much is lacking", err)
	}
	must(t, into(t, func(*store.Config) {}))
}

func TestImportRefusesADatabaseWithRows(t *testing.T) {
	t.Parallel()
	from := filled(t, storetest.SQLite(t))
	to, good := moved(t, from, storetest.SQLite(t))
	var occupied *store.NotEmptyError
	if _, err := store.Import(t.Context(), to.config, bytes.NewReader(good), nil); !errors.As(err, &occupied) {
		t.Errorf("got %v, want a NotEmptyError", err)
	}
}

// TestExportIsFlat exports and imports many rows and looks at the memory in use.
func TestExportIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a run without -short: it makes 80 MB of rows")
	}
	f := newFixture(t, storetest.SQLite(t))
	must(t, f.Close())
	db, err := sql.Open("sqlite", f.config.URL)
	must(t, err)
	_, err = db.Exec(`INSERT INTO setting (name, value) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
		SELECT 'name' || i, i || hex(zeroblob(200)) FROM n`)
	must(t, errors.Join(err, db.Close()))
	file, err := os.Create(filepath.Join(t.TempDir(), "export"))
	must(t, err)
	defer file.Close()
	var most uint64
	watch := func(string, int64, int64) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	}
	_, err = store.Export(t.Context(), f.config, file, watch)
	must(t, err)
	_, err = file.Seek(0, io.SeekStart)
	must(t, err)
	config := f.config
	config.URL = storetest.SQLite(t)
	_, err = store.Import(t.Context(), config, file, watch)
	must(t, err)
	t.Logf("%d MiB of heap in use at most", most>>20)
	if most > 64<<20 { // the rows are 80 MB as text, and would be several times that as values
		t.Errorf("%d MiB were in use", most>>20)
	}
}

func unpack(t *testing.T, b []byte) []byte {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(b))
	must(t, err)
	defer d.Close()
	text, err := io.ReadAll(d)
	must(t, err)
	return text
}

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	e, err := zstd.NewWriter(&b)
	must(t, err)
	_, err = io.WriteString(e, text)
	must(t, errors.Join(err, e.Close()))
	return b.Bytes()
}
