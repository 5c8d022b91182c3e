package githubtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

// noted is a TB that keeps failures in place of failing.
type noted struct {
	cleanup  []func()
	failures []string
}

func (n *noted) Helper()          {}
func (n *noted) Cleanup(f func()) { n.cleanup = append(n.cleanup, f) }
func (n *noted) Errorf(f string, args ...any) {
	n.failures = append(n.failures, strings.TrimSpace(f), strings.TrimSpace(args[0].(string)))
}

// TestBreachesAreCaught breaks the contract in one way each and looks for the report.
func TestBreachesAreCaught(t *testing.T) {
	t.Parallel()
	good := object{"name": "landwaiter/pr", "status": "completed", "conclusion": "success",
		"output": object{"title": "t", "summary": "s"}}
	tests := map[string]struct {
		method, path string
		body         object
		header       []string
		breach       string // "" for none
	}{
		"nothing wrong":         {"POST", "/repos/acme/shop/check-runs", object{}, nil, ""},
		"unknown route":         {"GET", "/repos/acme/shop/stargazers", nil, nil, "no such route"},
		"unknown method":        {"PUT", "/repos/acme/shop", nil, nil, "no such route"},
		"unknown conclusion":    {"POST", "/repos/acme/shop/check-runs", object{"conclusion": "fine"}, nil, "conclusion"},
		"misspelt field":        {"POST", "/repos/acme/shop/check-runs", object{"conclussion": "success"}, nil, `"conclussion" is unknown`},
		"wrong type":            {"POST", "/repos/acme/shop/check-runs", object{"name": 7}, nil, "name"},
		"missing field":         {"POST", "/repos/acme/shop/check-runs", object{"output": object{"summary": "s"}}, nil, "title"},
		"time in another form":  {"POST", "/repos/acme/shop/check-runs", object{"started_at": "yesterday"}, nil, "started_at"},
		"too many annotations":  {"POST", "/repos/acme/shop/check-runs", object{"output": object{"title": "t", "summary": "s", "annotations": manyAnnotations(51)}}, nil, "annotations"},
		"too many actions":      {"POST", "/repos/acme/shop/check-runs", object{"actions": slices.Repeat([]object{{"label": "l", "description": "d", "identifier": "i"}}, 4)}, nil, "actions"},
		"label too long":        {"POST", "/repos/acme/shop/check-runs", object{"actions": []object{{"label": strings.Repeat("l", 21), "description": "d", "identifier": "i"}}}, nil, "label"},
		"summary too long":      {"POST", "/repos/acme/shop/check-runs", object{"output": object{"title": "t", "summary": strings.Repeat("s", 65536)}}, nil, "summary"},
		"unknown query":         {"GET", "/repos/acme/shop/pulls?stat=open", nil, nil, `"stat" is unknown`},
		"query of another type": {"GET", "/repos/acme/shop/pulls?page=two", nil, nil, "page"},
		"query of other values": {"GET", "/repos/acme/shop/pulls?state=opened", nil, nil, "state"},
		"id that is no number":  {"GET", "/repos/acme/shop/pulls/one", nil, nil, "pull_number"},
		"body without a type":   {"POST", "/repos/acme/shop/check-runs", object{}, []string{"Content-Type", ""}, "Content-Type"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &noted{}
			w := &world{GitHub: NewTest(n, Options{Description: contract.Description{}}), t: t}
			w.inst, w.repo = w.Install("acme"), w.Repo("acme", "shop")
			w.first = w.repo.Commit("main", "first", Files{"a": "a"})
			w.client, w.auth = installationClient(t, w.GitHub, w.inst.ID)
			var body any
			if tt.body != nil {
				body = with(with(good, object{"head_sha": w.first}), tt.body)
			}
			w.call(tt.method, tt.path, body, tt.header...)
			for _, f := range n.cleanup {
				f()
			}
			got := strings.Join(n.failures, "\n")
			if tt.breach == "" && got != "" {
				t.Errorf("a proper request is a breach: %s", got)
			}
			if !strings.Contains(got, tt.breach) {
				t.Errorf("failures %q do not name %q", got, tt.breach)
			}
		})
	}
}

func manyAnnotations(n int) []object {
	return slices.Repeat([]object{{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}}, n)
}

// TestBadAnswersAreCaught shows that the stand-in is held to the contract as well.
func TestBadAnswersAreCaught(t *testing.T) {
	t.Parallel()
	g := New(Options{Description: contract.Description{}})
	g.Start()
	t.Cleanup(g.Close)
	w := &world{GitHub: g, t: t}
	w.inst, w.repo = w.Install("acme"), w.Repo("acme", "shop")
	w.repo.Commit("main", "first", Files{"a": "a"})
	w.client, w.auth = installationClient(t, g, w.inst.ID)
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"b": "b"}})
	p.state = "half open" // what GitHub would never say
	w.get("/repos/acme/shop/pulls/1")
	if got := strings.Join(g.Violations(), "\n"); !strings.Contains(got, "answer 200") || !strings.Contains(got, "/state") {
		t.Errorf("violations %q do not name the state", got)
	}
	g.ForgetViolations()
	g.checkWebhook(Delivery{Event: "pull_request", Action: "opened", Payload: p.Event("opened").Body()})
	if got := strings.Join(g.Violations(), "\n"); !strings.Contains(got, "webhook pull_request opened") {
		t.Errorf("violations %q do not name the webhook", got)
	}
	g.ForgetViolations()
	g.checkWebhook(Delivery{Event: "pull_request", Action: "sneezed", Payload: []byte(`{}`)})
	if got := strings.Join(g.Violations(), "\n"); !strings.Contains(got, "unknown to GitHub") {
		t.Errorf("violations %q do not name the unknown action", got)
	}
}

func TestContractOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Contract: Off})
	w.want(w.call("POST", "/repos/acme/shop/check-runs", object{"name": "n", "head_sha": w.first, "conclussion": "x"}), 201)
}
