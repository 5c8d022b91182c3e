package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/signers"
	"github.com/landwaiter/landwaiter/store"
)

// readMemory reads what a release was compared with and what it taught out of its report.
// repository is whose releases the report should be of, "" when that is not known.
func readMemory(name, repository string) (*signers.Memory, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, store.MaxReport+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > store.MaxReport:
		return nil, fmt.Errorf("it is larger than %d MiB, which no report is", store.MaxReport>>20)
	}
	var r checks.Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("it is not the report of a release in JSON: %w", err)
	}
	switch s := r.Subject; {
	case r.Memory == nil:
		return nil, errors.New("the report holds no memory of signers; give that of a release, as its page shows it under \"The same as JSON\"")
	case repository != "" && !strings.EqualFold(s.Repository, repository):
		return nil, fmt.Errorf("the report is of %s, not of %s", s.Repository, repository)
	case r.Verdict != checks.Pass:
		return &r.Memory.Memory, nil
	default:
		m := r.Memory.After(strings.TrimPrefix(s.Ref, "refs/tags/"), s.ReleaseID, r.Time)
		return &m, nil
	}
}
