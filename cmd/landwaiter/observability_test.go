package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

// promised are the metrics of docs/operations.md with their labels, as operators use them.
var promised = []string{
	"landwaiter_advisories{source}",
	"landwaiter_build_info{}",
	"landwaiter_check_latency_seconds{phase}",
	"landwaiter_checks_total{conclusion}",
	"landwaiter_clock_skew_seconds{}",
	"landwaiter_data_source_age_seconds{source}",
	"landwaiter_drift_healed_total{kind}",
	"landwaiter_exceptions_active{}",
	"landwaiter_findings_open{severity}",
	"landwaiter_gate_decisions_total{gate,decision}",
	"landwaiter_gate_wait_seconds{}",
	"landwaiter_github_rate_remaining{installation}",
	"landwaiter_github_requests_total{route,code,cache}",
	"landwaiter_github_throttled_total{}",
	"landwaiter_job_duration_seconds{kind,outcome}",
	"landwaiter_ledger_entries_total{}",
	"landwaiter_ledger_verified{}",
	"landwaiter_queue_depth{queue}",
	"landwaiter_redeliveries_total{}",
	"landwaiter_registry_requests_total{outcome}",
	"landwaiter_sla_overdue{severity}",
	"landwaiter_webhook_deliveries_total{event,action,outcome}",
	"landwaiter_webhook_lag_seconds{}",
}

// standService returns a service beside a stand-in for GitHub, not running.
func standService(t *testing.T, change func(*config), log *slog.Logger) (*service, *githubtest.GitHub) {
	t.Helper()
	g := githubtest.NewTest(t, githubtest.Options{Description: contract.Description{}})
	dir := t.TempDir()
	conf := config{
		publicURL: "https://landwaiter.example.com", dataDir: dir, databaseURL: "sqlite:" + filepath.Join(dir, "landwaiter.db"),
		appID: g.AppID(), privateKey: g.AppKey(), webhookSecrets: []string{g.WebhookSecret()}, apiURL: g.APIURL(), workers: 2,
	}
	if change != nil {
		change(&conf)
	}
	s, err := openService(t.Context(), conf, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s, g
}

var descForm = regexp.MustCompile(`fqName: "([^"]*)".*variableLabels: \{([^}]*)\}`)

// registered returns our metrics in the registry of a service, as promised writes them.
func registered(t *testing.T) []string {
	t.Helper()
	s, _ := standService(t, nil, slog.New(slog.DiscardHandler))
	descs := make(chan *prometheus.Desc, 1000)
	s.metrics.Describe(descs)
	close(descs)
	var names []string
	for d := range descs {
		m := descForm.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("unreadable %s", d)
		}
		if strings.HasPrefix(m[1], "landwaiter_") {
			names = append(names, m[1]+"{"+m[2]+"}")
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestMetricNames compares the registry of the service with the promised metrics, and these with
// the documentation.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(promised, registered(t)); diff != "" {
		t.Errorf("metrics (-promised +registered):\n%s", diff)
	}
	page := operationsPage(t)
	for _, m := range promised {
		name := strings.TrimSuffix(m, "{}")
		if m == "landwaiter_build_info{}" {
			name = "landwaiter_build_info{version}" // a constant label
		}
		if !strings.Contains(page, "| `"+name+"` |") {
			t.Errorf("docs/operations.md has no row %s", name)
		}
	}
}

func operationsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

var (
	metricForm = regexp.MustCompile(`landwaiter_[a-z_]+`)
	byForm     = regexp.MustCompile(`by \(([a-z_, ]+)\)`)
)

// checkQuery fails the test when a query names a metric that is not promised, or groups by a label
// that none of its metrics has.
func checkQuery(t *testing.T, where, query string) {
	t.Helper()
	labels := []string{"le", "version"}
	names := metricForm.FindAllString(query, -1)
	if len(names) == 0 {
		t.Errorf("%s: %q asks for nothing of ours", where, query)
	}
	for _, name := range names {
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			name = strings.TrimSuffix(name, suffix)
		}
		i := slices.IndexFunc(promised, func(m string) bool { return strings.HasPrefix(m, name+"{") })
		if i < 0 {
			t.Errorf("%s: there is no metric %s", where, name)
			continue
		}
		_, list, _ := strings.Cut(strings.TrimSuffix(promised[i], "}"), "{")
		labels = append(labels, strings.Split(list, ",")...)
	}
	for _, by := range byForm.FindAllStringSubmatch(query, -1) {
		for _, label := range strings.Split(by[1], ",") {
			if !slices.Contains(labels, strings.TrimSpace(label)) {
				t.Errorf("%s: no metric in %q has the label %s", where, query, label)
			}
		}
	}
	if strings.Count(query, "(") != strings.Count(query, ")") {
		t.Errorf("%s: brackets of %q", where, query)
	}
}

// TestDashboard reads the example dashboard: every query names metrics that exist, and panels do
// not cover each other.
func TestDashboard(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana-dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	taken := map[string]string{}
	for _, p := range board.Panels {
		if p.Title == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q at %+v with %d queries", p.ID, p.Title, p.GridPos, len(p.Targets))
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			at := fmt.Sprint(x, " ", p.GridPos.Y)
			if taken[at] != "" {
				t.Errorf("%s covers %s", p.Title, taken[at])
			}
			taken[at] = p.Title
		}
		for _, target := range p.Targets {
			checkQuery(t, p.Title, target.Expr)
			for _, name := range metricForm.FindAllString(target.Expr, -1) {
				shown[strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")] = true
			}
		}
	}
	for _, m := range promised {
		name, _, _ := strings.Cut(m, "{")
		if !shown[name] && name != "landwaiter_advisories" && name != "landwaiter_registry_requests_total" {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestAlerts reads the example alert rules: each names metrics that exist, and has a section in
// docs/operations.md; and each section has a rule.
func TestAlerts(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "prometheus-alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(data, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	page := operationsPage(t)
	var alerts, sections []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			alerts = append(alerts, r.Alert)
			checkQuery(t, r.Alert, r.Expr)
			if s := r.Labels["severity"]; s != "critical" && s != "warning" {
				t.Errorf("%s: severity %q", r.Alert, s)
			}
			if r.Annotations["summary"] == "" || !strings.HasSuffix(r.Annotations["runbook_url"], "/docs/operations.md#"+strings.ToLower(r.Alert)) {
				t.Errorf("%s: annotations %v", r.Alert, r.Annotations)
			}
		}
	}
	_, runbook, _ := strings.Cut(page, "## Alerts\n")
	for _, section := range strings.Split(runbook, "\n### ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		sections = append(sections, name)
		if !strings.Contains(text, "\nDo: ") {
			t.Errorf("%s: no word about what to do", name)
		}
	}
	if diff := cmp.Diff(alerts, sections); diff != "" || len(alerts) < 10 {
		t.Errorf("alerts (-rules +sections):\n%s", diff)
	}
}
