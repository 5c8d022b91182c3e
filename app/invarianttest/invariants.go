// Package invarianttest checks, after a fault, that the invariants of THREATS.md section 5 hold:
// on the store, and on the records of the stand-in for GitHub.
//
// It owns one function, Check, and the table of invariants behind it. It changes nothing and
// knows the engine only by what it leaves behind: rows, ledger entries, check runs, issues. It is
// for tests; each row of the table has a test that plants a violation and sees it caught.
//
// Start reading at World, then at Invariants.
package invarianttest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store"
)

// World is what Check looks at. DB and GitHub are required. The service may be running, but has
// nothing to do except what the clock starts.
type World struct {
	DB     *store.DB // may be open for reading only
	GitHub *githubtest.GitHub

	// Watcher remembers the checkpoints of earlier checks; nil: only those of today count.
	Watcher *Watcher
	// Now is the time for I3; zero means time.Now.
	Now time.Time
	// OpenFor is how long a check run may be open (deadline and 60 s); 0: none may be open now.
	OpenFor time.Duration
	// Scanners are the names that the evidence of a Pass must have, unless nothing was to look at.
	Scanners []string
	// MaxAge is how old the scanners' data may be in a Pass; 0: not looked at.
	MaxAge time.Duration
	// Want is the conclusion of the newest check on a commit, by Want's key; see Named.
	Want map[string]string
	// MayBury says whether a buried job is what the fault calls for; nil: no job may be buried.
	MayBury func(j store.Job) bool
	// Restarts is how often the service was started. A new process knows nothing of limits that an
	// earlier one was told of, and learns of them by asking once.
	Restarts int
	// Floods are the bursts whose fairness is judged.
	Floods []Flood
	// Texts are what the service wrote elsewhere, such as its log; Canaries are what must be in
	// none of them nor in anything published.
	Texts    []string
	Canaries []string
}

// Named is the key in World.Want of a check on a commit.
func Named(check, sha string) string { return check + " " + sha }

// Flood is a burst: Many jobs of one installation waited when Few of another came.
type Flood struct {
	ManyInstallation, FewInstallation int64
	// Slack is how many more of the many may be judged before the last of the few than a fair
	// turn allows: the workers, and what they had under way.
	Slack int
}

// Breach is one violation.
type Breach struct {
	Invariant string // "I6"
	Detail    string
}

// String returns both.
func (b Breach) String() string { return b.Invariant + ": " + b.Detail }

// Invariant is a row of the table.
type Invariant struct {
	Name  string // "I6"
	Text  string // what always holds
	check func(w World, f *facts) []string
}

// Invariants is the table, in the order of THREATS.md section 5.
func Invariants() []Invariant {
	return []Invariant{
		{"I1", "each acknowledged delivery is done, superseded, or buried with an alert", acknowledged},
		{"I2", "what was refused or lost is found by the sweep", found},
		{"I3", "no run of ours is open past its deadline and 60 s", concluded},
		{"I4", "the visible run is that of the newest generation", newestVisible},
		{"I5", "success only with complete evidence, for that commit, of young data, under the base policy", success},
		{"I6", "at most one open issue per finding", oneIssue},
		{"I7", "one entry per revision", oneEntry},
		{"I8", "checkpoints are pairwise consistent, never two roots for one size", consistent},
		{"I9", "what is published is in the ledger, byte for byte", published},
		{"I10", "no signed PASSED without a Pass entry", passedOnly},
		{"I11", "each call carries the token of the repository's installation", ownToken},
		{"I12", "no installation waits for the flood of another", fair},
		{"I13", "limits of GitHub are kept", limits},
		{"I14", "a lost lease changes nothing", noOldGeneration},
		{"I15", "no secret is written anywhere", noCanary},
		{"I16", "the backlog empties without help once the cause is gone", emptied},
		{"I17", "the outcome does not depend on the order of what happened", asWanted},
		{"I18", "approvals are a subset of Pass reports", approvals},
	}
}

// Check returns every breach of an invariant in w, in the order of the table. The error is about
// reading the store.
func Check(ctx context.Context, w World) ([]Breach, error) {
	f, err := collect(ctx, w)
	if err != nil {
		return nil, err
	}
	return judge(w, f), nil
}

func judge(w World, f *facts) []Breach {
	var all []Breach
	for _, i := range Invariants() {
		for _, detail := range i.check(w, f) {
			all = append(all, Breach{i.Name, detail})
		}
	}
	return all
}

// List writes breaches one a line.
func List(breaches []Breach) string {
	var b strings.Builder
	for _, breach := range breaches {
		fmt.Fprintln(&b, breach)
	}
	return b.String()
}
