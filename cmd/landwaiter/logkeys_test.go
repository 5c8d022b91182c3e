package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logKeys are the keys of log lines about deliveries and jobs; docs/operations.md explains them.
var logKeys = []string{"delivery", "event", "action", "installation", "repo", "sha", "run", "release", "policy"}

// TestLogKeys reads every log call of the engine: its message is constant, its keys are written as
// constants in lower case, and the keys that dashboards search for are among them.
func TestLogKeys(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	used := map[string]string{}
	calls := 0
	for _, folder := range []string{"app", "store", "web", "cmd/landwaiter"} {
		root := filepath.Join("..", "..", folder)
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				where := folder + "/" + name
				args, ok := logArguments(n)
				if !ok {
					return true
				}
				calls++
				for i := 0; i < len(args); i += 2 {
					lit, ok := args[i].(*ast.BasicLit)
					if !ok || lit.Kind != token.STRING {
						continue // attributes, or a list
					}
					key, err := strconv.Unquote(lit.Value)
					if err != nil || !form.MatchString(key) {
						t.Errorf("%s: log key %s", where, lit.Value)
					}
					used[key] = where
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if calls < 20 {
		t.Fatalf("found %d log calls", calls)
	}
	page := operationsPage(t)
	for _, key := range append(slices.Clone(logKeys), "trace_id") {
		if used[key] == "" && key != "trace_id" { // which package tracing adds
			t.Errorf("no log line has the key %s", key)
		}
		if !strings.Contains(page, "`"+key+"`") {
			t.Errorf("docs/operations.md does not explain the key %s", key)
		}
	}
	for _, other := range []string{"guid", "commit", "head_sha", "install", "job_key", "traceid", "trace"} {
		if where := used[other]; where != "" {
			t.Errorf("%s: the key %s is another word for one of %v", where, other, logKeys)
		}
	}
}

// logArguments returns the keys and values of a call that logs, or adds keys to a log.
func logArguments(n ast.Node) ([]ast.Expr, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil, false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !isLog(method.X) {
		return nil, false
	}
	skip := map[string]int{"With": 0, "Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "DebugContext": 2, "InfoContext": 2, "WarnContext": 2, "ErrorContext": 2}
	n2, ok := skip[method.Sel.Name]
	if !ok || len(call.Args) < n2 {
		return nil, false
	}
	return call.Args[n2:], true
}

// isLog reports whether x is called log or Log.
func isLog(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "log"
	case *ast.SelectorExpr:
		return x.Sel.Name == "log" || x.Sel.Name == "Log"
	}
	return false
}
