package osv

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// TestRecordedAnswers replays recorded questions to api.osv.dev. We must find each record
// of its answers that the corpus has in force, and nothing that it did not answer.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(corpus(t, "osv-api", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded answers", err)
	}
	x := open(t, t.TempDir())
	if _, err := x.Import(t.Context(), corpus(t, "osv"), ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	asked, found := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var exchange struct {
			Request  struct{ Body struct{ Queries []osvQuery } }
			Response struct{ Body struct{ Results []osvResult } }
		}
		if err := json.Unmarshal(data, &exchange); err != nil {
			t.Fatal(file, err)
		}
		for i, q := range exchange.Request.Body.Queries {
			if q.Package.Name == "" || q.Version == "" || i >= len(exchange.Response.Body.Results) {
				continue
			}
			asked++
			found += compareAnswer(t, x, q, exchange.Response.Body.Results[i])
		}
	}
	t.Logf("%d questions, %d records found as answered", asked, found)
	if asked < 100 || found < 10 {
		t.Errorf("%d questions and %d records are too few to say anything", asked, found)
	}
}

func compareAnswer(t *testing.T, x *Index, q osvQuery, answered osvResult) (found int) {
	t.Helper()
	p := checks.Package{Ecosystem: q.Package.Ecosystem, Name: q.Package.Name, Version: q.Version}
	ours, err := x.Records(p)
	if err != nil {
		t.Logf("%v: %v", p, err)
		return 0
	}
	g, err := x.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer g.release()
	base, _ := splitEcosystem(p.Ecosystem)
	var theirs []string
	for _, v := range answered.Vulns {
		theirs = append(theirs, v.ID)
		r, _, ok := g.find(v.ID, base)
		switch {
		case slices.Contains(ours, v.ID):
			found++
		case ok && !r.withdrawn:
			t.Errorf("%s %s %s: api.osv.dev answered %s, we do not find it", p.Ecosystem, p.Name, p.Version, v.ID)
		}
	}
	for _, id := range ours {
		if !slices.Contains(theirs, id) {
			t.Errorf("%s %s %s: we find %s, api.osv.dev did not answer it", p.Ecosystem, p.Name, p.Version, id)
		}
	}
	return found
}

// osvQuery is one question to POST /v1/querybatch, and osvResult its answer.
type osvQuery struct {
	Package struct{ Ecosystem, Name string }
	Version string
}

type osvResult struct {
	Vulns []struct{ ID string }
}
