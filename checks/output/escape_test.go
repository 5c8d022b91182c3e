package output_test

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

// hostile are texts that have done harm in bodies of other tools.
var hostile = []string{
	"@everyone", "@org/team", "a@b.example", "#1", "GH-1", "acme/app#1", "acme/app@" + strings.Repeat("a", 40), strings.Repeat("deadbeef", 5),
	"https://evil.example", "www.evil.example", "[a](https://evil.example)", "![a](https://evil.example/x.png)", "<https://evil.example>",
	"<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</details>", "</code>", "-->", "<!--", "&lt;img src=x&gt;", "&#64;everyone", "&amp;lt;b&amp;gt;",
	"`", "``", "```\n@everyone\n```", "a`@everyone`b", "\\`@everyone", "a|b|@everyone|", "a\\|@everyone", "a\\", "| x |\n|---|\n| @everyone |", "\n\n# Title\n@everyone",
	"\r\n@everyone", "**bold**", "~~x~~", "$x$", ":tada:", "- [ ] task", "[^1]", "[a]: https://evil.example", "a\u202e@everyone", "\u200b@everyone", "\x00@everyone", "\x1b[31m",
	"\u2028@everyone", "＠everyone", "xn--a", "mailto:a@b.example", "javascript:alert(1)", "data:text/html,x", strings.Repeat("`", 500), strings.Repeat("@a ", 300), "", " ", "\xff\xfe",
}

// gfm renders as GitHub does before it looks for mentions: its extensions, HTML kept.
var gfm = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
})

var (
	tag       = regexp.MustCompile(`<!--.*?-->|</?([a-zA-Z][a-zA-Z0-9]*)([^>]*)>`)
	inCode    = regexp.MustCompile(`(?s)<(code|pre)[^>]*>.*?</(code|pre)>`)
	reference = regexp.MustCompile(`(?i)(^|[^a-z0-9_/])@[a-z0-9]|#[0-9]|\bgh-[0-9]|\b[0-9a-f]{7,40}\b|https?://|www\.`)
	ownLink   = `<a href="https://landwaiter.example.com/x">`
)

// calmTags are the elements that our own texts consist of.
var calmTags = map[string]bool{
	"p": true, "table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "code": true, "pre": true, "strong": true,
	"h3": true, "ul": true, "li": true, "details": true, "summary": true, "blockquote": true, "em": false, "br": false,
}

// judgeMarkdown renders body and fails for everything that others could have brought in.
func judgeMarkdown(t *testing.T, body string) {
	t.Helper()
	var rendered bytes.Buffer
	if err := gfm().Convert([]byte(body), &rendered); err != nil {
		t.Fatal(err)
	}
	page := rendered.String()
	for _, m := range tag.FindAllStringSubmatch(page, -1) {
		link := m[1] == "a" && (m[0] == ownLink || m[0] == "</a>")
		marker := strings.HasPrefix(m[0], "<!-- landwaiter:finding v=1 ")
		code := m[1] == "code" && strings.HasPrefix(m[2], ` class="language-`)
		if link || marker || code || calmTags[strings.ToLower(m[1])] && m[2] == "" {
			continue
		}
		t.Fatalf("element %s in\n%s\nfrom\n%s", m[0], page, body)
	}
	text := inCode.ReplaceAllString(page, "")
	text = strings.ReplaceAll(text, ownLink, "")
	text = tag.ReplaceAllString(text, " ")
	if m := reference.FindString(text); m != "" {
		t.Fatalf("reference %q in\n%s\nfrom\n%s", m, text, body)
	}
	if strings.Contains(page, "\x1b") || strings.ContainsRune(page, '\u202e') {
		t.Fatalf("control characters in\n%q", page)
	}
}

// TestG16Escape: a cell, a list item and a sentence with hostile text stay what they are.
func TestG16Escape(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		escaped := output.Escape(s)
		judgeMarkdown(t, escaped)
		judgeMarkdown(t, "| a | b |\n|---|---|\n| "+escaped+" | x |\n")
		judgeMarkdown(t, "- "+escaped+"\n- **x "+escaped+"**\n")
		judgeMarkdown(t, "- "+output.Prose("the file "+s+" is large")+"\n")
		judgeMarkdown(t, "> "+output.Prose("the file `"+s+"` is large")+"\n")
		if strings.ContainsAny(escaped, "\n|") || strings.Count(escaped, "`")%2 == 1 {
			t.Errorf("Escape(%q) = %q", s, escaped)
		}
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"lodash": "`lodash`", "": "", "  ": "", "a`b": "`a'b`", "a|b": "`a¦b`", "&lt;b&gt;": "`<b>`", "&amp;lt;": "`<`", "a\n\tb": "`a b`",
		"a\u202eb\x00c": "`abc`", strings.Repeat("ä", 400): "`" + strings.Repeat("ä", 299) + "…`",
	} {
		if got := output.Escape(s); got != want {
			t.Errorf("Escape(%q) = %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]string{
		"built from refs/heads/main, expected refs/tags/v1": "built from refs/heads/main, expected refs/tags/v1",
		"signed by https://evil.example/x, expected @org":   "signed by `https://evil.example/x`, expected `@org`",
		"did you mean `severity`?":                          "did you mean `severity`?",
		"an odd ` backquote":                                "an odd ' backquote",
		"commit deadbeef1 is not":                           "commit `deadbeef1` is not",
		"a (b_c).":                                          "a `(b_c`).",
	} {
		if got := output.Prose(s); got != want {
			t.Errorf("Prose(%q) = %q, want %q", s, got, want)
		}
	}
}

// hostileReports are reports of all kinds in which every text that comes from others is s.
func hostileReports(t testing.TB, s string) []checks.Report {
	t.Helper()
	p := policy(t, "dependencies: {licences: {allow: [MIT]}, deprecated: block, yanked: block, images: warn}\nworkflows: {trusted_owners: []}\n")
	evil := pkg(s, s, 1)
	evil.Via, evil.Scope = []string{s, s, s}, checks.Scope(s)
	plain := pkg("plain", s, 1)
	mal := hit(evil, s, checks.SeverityHigh, s)
	mal.Advisory.Malware = true
	h := hit(evil, s+"1", checks.SeverityHigh, s)
	h.Advisory.Summary, h.Advisory.URL, h.Advisory.Aliases = s, s, []string{s}
	h.Advisory.EPSS, h.Advisory.Exploited, h.Advisory.Score = 0.5, true, 9.8
	evil.Licence, evil.Deprecated, evil.Requirers = s, s, []checks.Requirer{{Name: s, Version: s, Constraint: s}}
	cured := hit(pkg(s, "0", 1), s+"3", checks.SeverityHigh, s, checks.Base)
	pr := checks.Judge(hostileMaterial(s, evil, plain), p, hostileEvidence(s, plain, h, mal, hit(plain, s+"2", checks.SeverityLow, s), cured), now)
	for i := range pr.Findings {
		pr.Findings[i].Location.Path = s
	}
	pr.Changes = append(pr.Changes, checks.Change{Type: "new", Path: s, Name: s, From: s, To: s})
	pr.Reasons = append(pr.Reasons, checks.Reason{Rule: s, Code: checks.CodeIncomplete, Message: s + ": " + s})
	pr.Notices = append(pr.Notices, checks.Reason{Message: s})
	pr.Policy.Source = s
	signed := attested(s, digestOf(0), s)
	signed.Certificate.Repository, signed.Certificate.Ref, signed.Certificate.Runner, signed.Certificate.BuilderID = s, s, s, s
	r := release(p, []string{s, s + ".x", "plain"}, signed)
	r.Subject.Ref, r.Subject.Repository = "refs/tags/"+s, s
	workflow := attested("app", digestOf(0), "https://github.com/"+s+"/.github/workflows/a.yml@refs/heads/main")
	return []checks.Report{pr, r, release(p, []string{"app"}, workflow)}
}

// hostileMaterial is a change to a manifest and a file whose problems nobody advises of.
func hostileMaterial(s string, evil, plain checks.Package) *checks.Material {
	observed := func(rule string) checks.Observation {
		return checks.Observation{Rule: rule, Severity: checks.SeverityHigh, Line: 3, Subject: s, Message: "runs " + s, Remedy: "steps:\n  - uses: " + s + "\n"}
	}
	file := checks.Manifest{Path: s + ".yml", Digest: "f", Observations: []checks.Observation{
		observed(checks.RuleInjection), observed(checks.RuleImage), observed(checks.RuleUnpinned), observed(s),
	}}
	return &checks.Material{
		Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: s, Ref: s, Commit: commit, Number: 7}, Compared: true,
		Base: checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "go.mod", Digest: "b", Packages: []checks.Package{pkg(s, "0", 1)}}}}},
		Head: checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{
			{Path: "go.mod", Digest: "h", Packages: []checks.Package{evil, plain, {Ecosystem: s, Name: s + "x", Constraint: s}}}, file,
		}}},
	}
}

// hostileEvidence says the worst of it in hostile words.
func hostileEvidence(s string, plain checks.Package, matches ...checks.Match) []checks.Evidence {
	fake := checks.Observation{Rule: checks.RuleLookalike, Line: 1, Subject: s, Message: s, Remedy: s, Package: &plain}
	fact := checks.Fact{Ecosystem: "Go", Name: "plain", Version: s, Licence: s, Deprecated: s, Yanked: true, Source: s, Time: now}
	return []checks.Evidence{
		{Scanner: "osv", Complete: true, DataTime: now, Matches: matches, Observations: []checks.Observed{{Side: checks.Head, Path: "go.mod", Observation: fake}},
			Claims: []checks.Claim{{Path: "go.mod", Package: plain, Version: s}}},
		{Scanner: "registry", Facts: []checks.Fact{fact}, Gaps: []checks.Gap{{Reason: s}}},
	}
}

// judgeReport renders everything that r makes GitHub show.
func judgeReport(t *testing.T, r checks.Report, s string) {
	t.Helper()
	run := output.ForCheck(r, output.Options{DetailsURL: "https://landwaiter.example.com/x", Checkpoint: "c"})
	judgeMarkdown(t, run.Summary)
	judgeMarkdown(t, run.Text)
	title, body := output.Issue(r, output.IssueOptions{DetailsURL: "https://landwaiter.example.com/x", Key: s, State: s, OwnerWhy: s, DueWhy: s, Workflow: s,
		Owners: []checks.Owner{{User: s + "!"}}})
	judgeMarkdown(t, body)
	for _, plain := range []string{run.Title, title} {
		if strings.ContainsAny(plain, "\n\r\x00\x1b\u202e") || !utf8.ValidString(plain) || utf8.RuneCountInString(plain) > 120 {
			t.Fatalf("title %q", plain)
		}
	}
	for _, a := range run.Annotations {
		if strings.ContainsAny(a.Title+a.Message+a.RawDetails, "\r\x00\x1b\u202e") || len(a.Title) > 255 || a.StartLine < 1 {
			t.Fatalf("annotation %+v", a)
		}
	}
	var table, markdown, sarif bytes.Buffer
	if err := output.Table(&table, r, false); err != nil || strings.ContainsAny(table.String(), "\x1b\x00\r\u202e") {
		t.Fatalf("table %q: %v", table.String(), err)
	}
	if err := output.Markdown(&markdown, r); err != nil {
		t.Fatal(err)
	}
	judgeMarkdown(t, markdown.String())
	if err := output.SARIF(&sarif, r); err != nil || strings.ContainsAny(sarif.String(), "\x1b\x00\r\u202e") {
		t.Fatalf("SARIF %q: %v", sarif.String(), err)
	}
	judgeSARIF(t, sarif.Bytes())
}

// TestG16Reports: reports full of hostile text render to our own elements and nothing else.
func TestG16Reports(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		for _, r := range hostileReports(t, s) {
			judgeReport(t, r, s)
		}
	}
	run := output.ForState(output.StateFailed, output.Detail{Name: output.CheckPullRequest, Reference: "<b>@a", Message: "@everyone <img src=x>"})
	judgeMarkdown(t, run.Summary)
}

func FuzzG16(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			return
		}
		judgeMarkdown(t, "| a | b |\n|---|---|\n| "+output.Escape(s)+" | x |\n\n- "+output.Prose(s)+"\n")
		for _, r := range hostileReports(t, s) {
			judgeReport(t, r, s)
		}
	})
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	const notice = "**cut**"
	lines := strings.Repeat("日本語の行\n", 8000)
	for _, x := range []struct {
		name, s string
		max     int
		check   func(string) bool
	}{
		{"fits", "abc", 3, func(s string) bool { return s == "abc" }},
		{"multibyte", lines, 65_535, func(s string) bool { return strings.HasSuffix(s, "日本語の行\n\n**cut**") }},
		{"one long line", strings.Repeat("日", 30_000), 60_000, func(s string) bool { return strings.HasPrefix(s, "日日") && strings.HasSuffix(s, notice) }},
		{"open code block", "```sh\n" + lines, 60_000, func(s string) bool { return strings.HasSuffix(s, "\n```\n\n**cut**") }},
		{"open section", "<details><summary>a</summary>\n\n" + lines, 60_000, func(s string) bool { return strings.HasSuffix(s, "\n\n</details>\n\n**cut**") }},
		{"no room", lines, 5, func(s string) bool { return s == "**cut" }},
		{"invalid", "a\xff", 10, func(s string) bool { return s == "a?" }},
	} {
		got := output.Truncate(x.s, x.max, notice)
		if len(got) > x.max || !utf8.ValidString(got) || !x.check(got) {
			t.Errorf("%s: %d bytes, …%q", x.name, len(got), got[max(0, len(got)-60):])
		}
	}
}
