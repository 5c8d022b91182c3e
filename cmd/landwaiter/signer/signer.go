// Package signer issues verification summaries. It owns the key that signs them, and signs
// nothing but what the ledger holds.
//
// A caller names a Report and nothing else. The signer reads that Report back out of the
// ledger, proves it against a signed checkpoint, refuses when it must not be summarised
// (THREATS V70, V72, V73), signs one statement for each asset, and gives the file out only
// after it has a ledger entry of its own. No method takes a statement, and none returns the
// private key: neither the web server nor a scanner imports this package (V74), and no person
// can have a text of theirs signed.
//
// Start reading at Issue, then at Open.
package signer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/store"
)

// Config says what to sign with and in whose name. Store, Verifier.ID and one of KeyFile and
// KMS are required.
type Config struct {
	Store *store.DB
	// KeyFile holds an Ed25519 key. It is made, with mode 0600, when it does not exist.
	KeyFile string
	// KMS names a key outside, NAME://KEY, which the program sigstore-kms-NAME signs with; ""
	// means KeyFile.
	KMS      string
	Verifier summary.Verifier
}

// Signer issues summaries. It is safe for concurrent use.
type Signer struct {
	store    *store.DB
	verifier summary.Verifier
	key      key
}

// Open reads or makes the key. With a KMS it asks for the public key, so that a key that
// cannot be reached is told at start and not at the first release.
func Open(ctx context.Context, c Config) (*Signer, error) {
	if c.Store == nil {
		return nil, errors.New("signer: Config.Store is required")
	}
	s := &Signer{store: c.Store, verifier: c.Verifier}
	var err error
	if c.KMS != "" {
		s.key, err = openKMS(ctx, c.KMS)
	} else {
		s.key, err = openFile(c.KeyFile)
	}
	return s, err
}

// Format writes the id of the key under every verb, so that a Signer that is logged by mistake
// gives nothing away.
func (s *Signer) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "signer of summaries with key "+s.key.id()) // a fault is w's to tell
}

// KeyID is the id of the key in force, as envelopes name it.
func (s *Signer) KeyID() string { return s.key.id() }

// Issue returns the summaries of the Report of that generation on a Subject's key, and makes
// them when there are none yet. Calling it again returns the same bytes.
//
// A *summary.Refusal says that there must be none; another try with the same Report gives the
// same answer. Any other error may pass.
func (s *Signer) Issue(ctx context.Context, subject string, generation int64) (store.StoredSummary, error) {
	report, stored, err := s.readBack(ctx, subject, generation)
	if err != nil {
		return store.StoredSummary{}, err
	}
	known, err := s.store.SummaryByKey(ctx, subject)
	if err == nil && known.Generation == generation {
		return known, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.StoredSummary{}, err
	}
	statements, err := summary.Make(report, s.verifier)
	if err != nil {
		return store.StoredSummary{}, err
	}
	out := store.Summary{Key: subject, Generation: generation, ReportIndex: stored.LedgerIndex, Policy: report.Policy.Digest}
	for _, statement := range statements {
		line, err := summary.Sign(statement, s.key.id(), func(message []byte) ([]byte, error) { return s.key.sign(ctx, message) })
		if err != nil {
			return store.StoredSummary{}, err
		}
		out.File = append(append(out.File, line...), '\n')
		out.Digests = append(out.Digests, statement.Subject[0].Digest["sha256"])
	}
	recorded, err := s.store.RecordSummary(ctx, out)
	if errors.Is(err, store.ErrStale) {
		return store.StoredSummary{}, overruled(subject, generation)
	}
	return recorded, err
}

// readBack reads a Report out of the ledger: not from the row, but from the entry, after its
// hash was found under a checkpoint that the ledger's own key signed.
func (s *Signer) readBack(ctx context.Context, subject string, generation int64) (checks.Report, store.StoredReport, error) {
	var report checks.Report
	stored, err := s.store.ReportByKey(ctx, subject)
	if err != nil {
		return report, stored, notInLedger(err, "there is no report on %s", subject)
	}
	if stored.Generation != generation {
		return report, stored, overruled(subject, generation)
	}
	proof, err := s.store.Prove(ctx, stored.ID)
	if err != nil {
		return report, stored, notInLedger(err, "the report on %s cannot be proven", subject)
	}
	proven, err := proof.Verify(s.store.LedgerVerifiers()...)
	if err != nil || proven.Index != stored.LedgerIndex || proven.Leaf.Key != subject || proven.Leaf.Generation != generation {
		return report, stored, &summary.Refusal{Code: summary.RefusedNotEntry, Message: fmt.Sprintf("the ledger does not hold the report on %s: %v", subject, err)}
	}
	if err := json.Unmarshal(proven.Report, &report); err != nil {
		return report, stored, fmt.Errorf("reading the report on %s: %w", subject, err)
	}
	return report, stored, nil
}

// notInLedger turns what says that the ledger does not hold a Report into a Refusal. Faults of
// the database stay errors that may pass.
func notInLedger(err error, format string, args ...any) error {
	var tampered *store.TamperedError
	if errors.Is(err, store.ErrNotFound) || errors.As(err, &tampered) {
		return &summary.Refusal{Code: summary.RefusedNotEntry, Message: fmt.Sprintf(format, args...) + ": " + err.Error()}
	}
	return err
}

func overruled(subject string, generation int64) error {
	return &summary.Refusal{Code: summary.RefusedOverruled, Message: fmt.Sprintf("generation %d is not the newest report on %s", generation, subject)}
}
