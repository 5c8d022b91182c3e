package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/cmd/landwaiter/ahead"
	"github.com/landwaiter/landwaiter/scanners/lookalike"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/manifests/cage"
	"github.com/landwaiter/landwaiter/scanners/manifests/goimports"
	"github.com/landwaiter/landwaiter/scanners/osv"
)

type scanCommand struct {
	Base          string `placeholder:"DIR|GITREV" help:"Compare with this folder or git revision; only what is added then decides the verdict."`
	Advisories    string `placeholder:"DIR" help:"Advisories in the layout of the OSV bucket (<ecosystem>/all.zip). Default: those of 'landwaiter advisories'."`
	Data          string `placeholder:"DIR" env:"LANDWAITER_DATA_DIR" help:"Folder of imported advisories."`
	Registry      string `placeholder:"URL" env:"LANDWAITER_DEPSDEV_URL" default:"https://api.deps.dev" help:"Address of deps.dev's API, or off. It is asked when the policy has a rule about licences, age, provenance or the like."`
	Offline       bool   `help:"Ask nobody about packages; what earlier scans were told still counts."`
	Private       string `placeholder:"PATTERNS" env:"LANDWAITER_PRIVATE_PACKAGES" help:"Your own packages, whose names are not sent out: npm:@acme/*,maven:com.acme.* and so on. GOPRIVATE counts too."`
	Policy        string `placeholder:"FILE" help:"Policy file. Default: landwaiter:recommended@1, enforced."`
	SecondOpinion string `placeholder:"FILE" help:"Report of osv-scanner (--format json) on the same folder; what only one of the two found is told on stderr."`
	Output        string `short:"o" enum:"table,json,sarif,markdown,osv-scanner" default:"table" help:"table, json, sarif, markdown or osv-scanner."`
	Path          string `arg:"" optional:"" default:"." help:"Folder to judge."`
}

// Help shows examples.
func (scanCommand) Help() string {
	return `Reads every manifest and lock file under PATH and matches it with known advisories.
Needs no network once advisories are imported.

Examples:
  landwaiter advisories update && landwaiter scan
  landwaiter scan --base origin/main --output sarif > landwaiter.sarif
  landwaiter scan --advisories ./osv --base ../before ./after

Exit code: 0 pass, 1 fail, 2 usage, 3 unknown (something could not be read), 5 internal.`
}

// scanGarbage lets the heap of a scan grow to nine times of what it uses, while that stays
// below scanMemory; beyond, it is collected as needed.
const (
	scanGarbage = 800      // percent
	scanMemory  = 96 << 20 // bytes
)

// Run scans and prints the report.
func (cmd *scanCommand) Run(c *console) error {
	if cmd.Advisories == "" { // compiling them takes memory of its own
		// A scan ends before its garbage matters: collecting it takes a fifth of its time.
		debug.SetGCPercent(scanGarbage)
		debug.SetMemoryLimit(scanMemory)
	}
	if !isFolder(cmd.Path) {
		return usage("%s is no folder; name the folder that holds the manifests", cmd.Path)
	}
	readers := ahead.Readers() // which start while the files are looked for
	defer readers.Close()
	policy, err := localPolicy(cmd.Policy)
	if err != nil {
		return err
	}
	var theirs []opinion
	if cmd.SecondOpinion != "" {
		if theirs, err = readOpinions(cmd.SecondOpinion); err != nil {
			return err
		}
	}
	p := newProgress(c)
	defer p.done()
	// The advisories are opened while the readers read.
	var index *osv.Index
	var closeIndex func()
	var group errgroup.Group
	group.Go(func() (err error) { index, closeIndex, err = cmd.index(c, p); return err })
	m, err := cmd.material(c, p, readers)
	unopened := group.Wait()
	if unopened == nil {
		defer closeIndex()
	}
	if err = cmp.Or(err, unopened); err != nil {
		return err
	}
	m.AskRegistry, m.AskNewest = policy.AsksRegistry(), policy.AsksNewest()
	registries, err := cmd.registries(c)
	if err != nil {
		return err
	}
	r, err := cmd.judge(c, p, readers, m, policy, []checks.Scanner{osv.New(index, osv.Options{}), registries, lookalike.New()})
	if err != nil {
		return err
	}
	p.done()
	if cmd.SecondOpinion != "" {
		compareOpinions(c, theirs, r)
	}
	return printReport(c, cmd.Output, r)
}

// material reads both sides.
func (cmd *scanCommand) material(c *console, p *progress, readers *cage.Pool) (*checks.Material, error) {
	m := &checks.Material{Subject: checks.Subject{Kind: checks.KindTree}}
	head, err := readFolder(cmd.Path, manifests.Wanted, p)
	if err != nil {
		return nil, err
	}
	p.say("reading %d manifests", len(head))
	head, m.Head.Gaps = workTreeLinks(c.ctx, cmd.Path, head)
	var prepared sync.WaitGroup
	prepared.Go(func() { // while the readers read
		for i := range head {
			lookalike.Prepare(manifests.EcosystemOf(head[i].Path))
		}
	})
	m.Head.Inventory = readers.Read(c.ctx, head)
	prepared.Wait()
	if inWorkTree(cmd.Path) {
		if commit, err := git(c.ctx, cmd.Path, nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); err == nil {
			m.Subject.Commit = strings.TrimSpace(string(commit))
		}
	}
	if cmd.Base == "" {
		return m, nil
	}
	m.Compared = true
	var base []checks.File
	if isFolder(cmd.Base) {
		if base, err = readFolder(cmd.Base, manifests.Wanted, p); err == nil {
			base, m.Base.Gaps = workTreeLinks(c.ctx, cmd.Base, base)
		}
	} else if base, m.Subject.Base, err = gitTree(c.ctx, cmd.Path, cmd.Base, manifests.Wanted); err == nil {
		if atTop(c.ctx, cmd.Path) {
			m.Base.Gaps = linksUnnamed(base)
		} else {
			base = withoutLinks(base)
			m.Base.Gaps = linksUnseen(base, "is not the top of its git work tree")
		}
	}
	if err != nil {
		return nil, err
	}
	m.Head.Gaps = arisen(m.Head.Gaps, m.Base.Gaps)
	m.Base.Inventory = readers.Read(c.ctx, base)
	return m, nil
}

// judge asks the scanners, reads what the Go source imports where that matters, and judges.
func (cmd *scanCommand) judge(c *console, p *progress, readers *cage.Pool, m *checks.Material, policy *checks.Policy, scanners []checks.Scanner) (checks.Report, error) {
	evidence := checks.Ask(c.ctx, m, scanners)
	if checks.AsksImports(m, evidence) {
		p.say("reading what the Go source imports")
		var err error
		if m.Head.Imports, err = importsOf(c.ctx, cmd.Path, readers); err != nil {
			return checks.Report{}, err
		}
	}
	return checks.Judge(m, policy, evidence, time.Now()), nil
}

// importsOf returns what the Go source in a folder imports. Nothing outside of it is read.
func importsOf(ctx context.Context, dir string, readers *cage.Pool) (*checks.Imports, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usage("cannot read the folder %s: %w", dir, errors.Unwrap(err))
	}
	defer root.Close()
	return goimports.ReadFolder(ctx, root.FS(), readers.Read), nil
}

// index opens the advisories to match with: those imported into the data folder, or a
// folder of zips compiled for this run (kept in the user's cache while the zips do not change).
func (cmd *scanCommand) index(c *console, p *progress) (*osv.Index, func(), error) {
	dir := dataDir(cmd.Data)
	if cmd.Advisories != "" {
		return compiledIndex(c, cmd.Advisories, p)
	}
	index, err := osv.Open(dir)
	if err != nil {
		return nil, nil, usage("%w", err)
	}
	if index.Status().Records == 0 {
		index.Close()
		return nil, nil, usage("there are no advisories in %s yet: run 'landwaiter advisories update', or 'landwaiter advisories import DIR' with a copy of the OSV bucket, or pass --advisories DIR", dir)
	}
	return index, func() { index.Close() }, nil
}

// dataDir returns the folder that keeps advisories: data, or landwaiter's folder in the
// user's cache. The index lies in its folder advisories.
func dataDir(data string) string {
	if data != "" {
		return data
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "landwaiter")
}

// localPolicy reads the policy of a command: the file, or the recommended preset enforced,
// since somebody who runs a command wants its exit code to mean something.
func localPolicy(file string) (*checks.Policy, error) {
	if file == "" {
		return checks.ParsePolicy([]byte("version: 1\nextends: [landwaiter:recommended@1]\nmode: enforce\n"), "landwaiter:recommended@1")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usage("reading the policy: %w", err)
	}
	p, err := checks.ParsePolicy(data, file)
	if err != nil {
		return nil, usage("%w", err)
	}
	return p, nil
}
