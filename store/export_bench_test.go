package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// BenchmarkExport moves 1,000,000 queued jobs to the other engine and reports rows a second and
// the most heap that was in use. Each round takes minutes: run it with -benchtime=1x.
func BenchmarkExport(b *testing.B) {
	const rows = 1_000_000
	f := newFixture(b, storetest.SQLite(b))
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", f.config.URL)
	if err == nil {
		_, err = db.Exec(`INSERT INTO job (state, step, key, generation, cause, priority, installation_id, due, args, created)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			SELECT 0, 'judge', 'pr:' || i || ':1:0123456789012345678901234567890123456789', 1, 'pull_request.opened', 30, i % 50, i,
				'{"repo":{"installation_id":1,"id":' || i || ',"owner":"acme","name":"shop"},"kind":"pull_request"}', i FROM n`, rows)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
	var most uint64
	watch := func(string, int64, int64) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	}
	file := filepath.Join(b.TempDir(), "export")
	for b.Loop() {
		out, err := os.Create(file)
		if err == nil {
			_, err = store.Export(b.Context(), f.config, out, watch)
		}
		if err = errors.Join(err, out.Close()); err != nil {
			b.Fatal(err)
		}
		exported := b.Elapsed()
		config := f.config
		config.URL = storetest.Postgres(b)
		in, err := os.Open(file)
		if err == nil {
			_, err = store.Import(b.Context(), config, in, watch)
		}
		if err = errors.Join(err, in.Close()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(rows/exported.Seconds(), "exported-rows/s")
		b.ReportMetric(rows/(b.Elapsed()-exported).Seconds(), "imported-rows/s")
	}
	b.ReportMetric(float64(most>>20), "heap-MiB")
}
