// Command landwaiter examines everything before it lands: the dependencies that a pull
// request brings in, and the signatures and provenance of a release's assets.
//
// This package is the only place that knows every other one: it reads the operator's
// configuration, opens the store, builds the scanners and the App, and runs them. Each
// subcommand has its own file; serve.go wires the service.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"github.com/landwaiter/landwaiter/scanners/osv"
)

// version is the released version, set by the linker; see the Makefile.
var version = "devel"

// The exit codes. docs/cli.md lists them.
const (
	exitPass     = 0
	exitFail     = 1 // a Fail verdict
	exitUsage    = 2 // wrong flags, a wrong configuration, an unreadable input
	exitUnknown  = 3 // an Unknown verdict: something needed could not be seen
	exitInternal = 5 // our fault
)

// commands is the table of subcommands. To add one: a file with a type that has
// Run(*console) error and Help() string with an example, and a line here.
type commands struct {
	Quiet   bool `short:"q" help:"Print nothing but the report and errors."`
	NoColor bool `help:"Print no colours. NO_COLOR in the environment does the same."`

	Serve      serveCommand          `cmd:"" help:"Run the service: receive webhooks, judge, publish."`
	Demo       demoCommand           `cmd:"" help:"Play the main job against a stand-in for GitHub on this machine."`
	Scan       scanCommand           `cmd:"" help:"Judge the dependency manifests of a folder or git work tree."`
	Verify     verifyCommand         `cmd:"" help:"Verify who built and signed files."`
	Trust      trustCommand          `cmd:"" help:"Refresh or list the trust roots that verification uses."`
	Advisories advisoriesCommand     `cmd:"" help:"Import, update or list the advisories that scans use."`
	Ledger     ledgerCommand         `cmd:"" help:"Verify, prove or export the ledger of everything that was judged."`
	Jobs       jobsCommand           `cmd:"" help:"List jobs that were given up, and retry them."`
	Migrate    migrateCommand        `cmd:"" help:"Bring the schema of the database up to date."`
	Backup     backupCommand         `cmd:"" help:"Copy the SQLite database while the service runs, and verify the copy."`
	Restore    restoreCommand        `cmd:"" help:"Verify a backup and make it the SQLite database."`
	Export     databaseExportCommand `cmd:"" help:"Write the whole database to a file that import reads."`
	Import     databaseImportCommand `cmd:"" help:"Fill an empty database, SQLite or PostgreSQL, with an export."`
	Summary    summaryCommand        `cmd:"" help:"Print or replace the key that signs verification summaries."`
	Manifest   manifestCommand       `cmd:"" help:"Print the GitHub App manifest."`
	Version    versionCommand        `cmd:"" help:"Print the version and what it was built from."`
	Completion completionCommand     `cmd:"" help:"Print shell code that completes commands and flags."`
}

// console is where a subcommand reads and writes, and how.
type console struct {
	ctx    context.Context
	out    io.Writer
	err    io.Writer
	env    func(string) (string, bool)
	quiet  bool
	colour bool   // on out
	cache  string // folder for what can be made again; "" means landwaiter's in the user's cache
	held   held   // what the demo's stand-in is held to; nil in a build without it
}

// exitError carries an exit code through a command's error. An empty message prints nothing.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage returns an error for wrong flags, configuration or input.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &console{ctx: ctx, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, held: demoDescription()}
	code := run(c, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses args, runs one subcommand and returns the exit code.
func run(c *console, args []string) int {
	table := tableFor(args)
	code := -1
	parser, err := kong.New(table.Interface(),
		kong.Name("landwaiter"),
		kong.Description("Examines everything before it lands: dependencies of pull requests, signatures and provenance of releases."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(c.out, c.err),
		kong.Vars{"kev_url": osv.DefaultKEVURL, "epss_url": osv.DefaultEPSSURL},
		kong.Exit(func(n int) { code = n }),
	)
	if err != nil {
		fmt.Fprintln(c.err, "landwaiter:", err)
		return exitInternal
	}
	kongcompletion.Register(parser)
	parsed, err := parser.Parse(args)
	if code >= 0 { // help was printed
		return code
	}
	if err != nil {
		fmt.Fprintf(c.err, "landwaiter: %v\nTry: landwaiter %s--help\n", err, commandPath(args))
		return exitUsage
	}
	flags := table.Elem()
	c.quiet = flags.FieldByName("Quiet").Bool()
	c.colour = wantsColour(c, flags.FieldByName("NoColor").Bool())
	return report(c, parsed.Run(c))
}

// tableFor returns a pointer to the commands, or to a struct like it that has only the command
// which args name first: reading the table takes kong longer than most commands run. Where args
// name none, or it is completed, all of the table is needed.
func tableFor(args []string) reflect.Value {
	all := reflect.TypeFor[commands]()
	name := strings.TrimSpace(commandPath(args))
	var fields []reflect.StructField
	chosen := false
	for i := range all.NumField() {
		field := all.Field(i)
		_, isCommand := field.Tag.Lookup("cmd")
		if isCommand && strings.ToLower(field.Name) != name {
			continue
		}
		chosen = chosen || isCommand
		field.Offset, field.Index = 0, nil
		fields = append(fields, field)
	}
	if _, completing := os.LookupEnv("COMP_LINE"); !chosen || completing || name == "completion" {
		return reflect.New(all)
	}
	return reflect.New(reflect.StructOf(fields))
}

// commandPath returns the subcommand in args with a space behind it, for a hint.
func commandPath(args []string) string {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return a + " "
		}
	}
	return ""
}

// report prints what went wrong and returns the exit code of err.
func report(c *console, err error) int {
	if err == nil {
		return exitPass
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(c.err, "landwaiter:", text)
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitInternal
}
