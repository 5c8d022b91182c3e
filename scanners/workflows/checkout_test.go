package workflows

import (
	"strings"
	"testing"
)

// safe checks out the base of a pull request, with a token that only reads.
const safe = `on:
  pull_request_target:
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
        with:
          persist-credentials: false
      - run: npm ci
`

// taking checks out the head, reads it and holds nothing.
var taking = strings.ReplaceAll(strings.ReplaceAll(safe, "persist-credentials: false", "ref: ${{ github.event.pull_request.head.sha }}"), "npm ci", "wc -l README.md")

func TestCheckout(t *testing.T) {
	t.Parallel()
	const persist, sha = "persist-credentials: false", "github.event.pull_request.head.sha"
	for name, c := range map[string]struct {
		changes []string
		want    []string
	}{
		"base":                   {nil, nil},
		"head by commit":         {[]string{persist, "ref: ${{ " + sha + " }}"}, []string{"11 high untrusted-checkout: job build: " + sha}},
		"head as default":        {[]string{persist, "ref: ${{ " + sha + " || github.sha }}"}, []string{"11 high untrusted-checkout: job build: " + sha}},
		"base by commit":         {[]string{persist, "ref: ${{ github.event.pull_request.base.sha }}"}, nil},
		"commit of the merge":    {[]string{persist, "ref: ${{ github.event.pull_request.merge_commit_sha }}"}, []string{"11 high untrusted-checkout: job build: github.event.pull_request.merge_commit_sha"}},
		"refs/pull by number":    {[]string{persist, "ref: refs/pull/${{ github.event.number }}/merge"}, []string{"11 high untrusted-checkout: job build: refs/pull/github.event.number"}},
		"another ref by number":  {[]string{persist, "ref: pr-${{ github.event.number }}"}, nil},
		"fork by name":           {[]string{persist, "repository: ${{ github.event.pull_request.head.repo.full_name }}"}, []string{"11 high untrusted-checkout: job build: github.event.pull_request.head.repo.full_name"}},
		"branch by name":         {[]string{persist, "ref: ${{ github.head_ref }}"}, []string{"11 medium untrusted-checkout: job build: github.head_ref"}},
		"branch of the fork":     {[]string{persist, "ref: ${{ github.head_ref }}\n          repository: ${{ github.event.pull_request.head.repo.full_name }}"}, []string{"11 high untrusted-checkout: job build: github.head_ref"}},
		"by a variable":          {[]string{persist, "ref: ${{ env.HEAD }}", "jobs:", "env:\n  HEAD: ${{ " + sha + " }}\njobs:"}, []string{"13 high untrusted-checkout: job build: env.HEAD"}},
		"by an output":           {[]string{persist, "ref: ${{ steps.h.outputs.sha }}", "      - uses: actions", "      - id: h\n        run: echo \"sha=${{ " + sha + " }}\" >> $GITHUB_OUTPUT\n      - uses: actions"}, []string{"13 high untrusted-checkout: job build: steps.h.outputs.sha"}},
		"on pull_request":        {[]string{persist, "ref: ${{ " + sha + " }}", "pull_request_target", "pull_request"}, nil},
		"for pull_request only":  {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.event_name == 'pull_request'\n    runs-on", "  pull_request_target:", "  pull_request_target:\n  pull_request:"}, nil},
		"by && for pull_request": {[]string{persist, "ref: ${{ github.event_name == 'pull_request' && " + sha + " || github.sha }}", "  pull_request_target:", "  pull_request_target:\n  pull_request:"}, nil},
		"secret": {[]string{persist, "ref: ${{ " + sha + " }}", "run: npm ci", "run: npm ci\n        env:\n          TOKEN: ${{ secrets.NPM_TOKEN }}"}, []string{
			"11 critical untrusted-checkout: job build: " + sha,
		}},
		"own token only":         {[]string{persist, "ref: ${{ " + sha + " }}", "run: npm ci", "run: npm ci\n        env:\n          TOKEN: ${{ secrets.GITHUB_TOKEN }}"}, []string{"11 high untrusted-checkout: job build: " + sha}},
		"token that writes":      {[]string{persist, "ref: ${{ " + sha + " }}", "contents: read", "contents: write"}, []string{"11 critical untrusted-checkout: job build: " + sha}},
		"token of the job":       {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    permissions: {packages: write}\n    runs-on"}, []string{"12 critical untrusted-checkout: job build: " + sha}},
		"no permissions":         {[]string{persist, "ref: ${{ " + sha + " }}", "permissions:\n  contents: read\n", ""}, []string{"9 critical untrusted-checkout: job build: " + sha}},
		"read by a script":       {[]string{persist, "ref: ${{ " + sha + " }}", "npm ci", "wc -l README.md", "permissions:\n  contents: read\n", ""}, []string{"9 high untrusted-checkout: job build: " + sha}},
		"own branches":           {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.event.pull_request.head.repo.full_name == github.repository\n    runs-on"}, nil},
		"no forks":               {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.event.pull_request.head.repo.fork == false\n    runs-on"}, nil},
		"same name is no proof":  {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.event.pull_request.head.repo.name == github.event.repository.name\n    runs-on"}, []string{"12 high untrusted-checkout: job build: " + sha}},
		"one author":             {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.event.pull_request.user.login == 'dependabot[bot]'\n    runs-on"}, nil},
		"one actor":              {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.actor == 'dependabot[bot]'\n    runs-on"}, []string{"12 medium untrusted-checkout: job build: " + sha}},
		"merged":                 {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: github.event.pull_request.merged\n    runs-on"}, nil},
		"a label":                {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    if: contains(github.event.pull_request.labels.*.name, 'safe')\n    runs-on"}, []string{"12 medium untrusted-checkout: job build: " + sha}},
		"on a label":             {[]string{persist, "ref: ${{ " + sha + " }}", "pull_request_target:", "pull_request_target:\n    types: [labeled]"}, []string{"12 medium untrusted-checkout: job build: " + sha}},
		"environment":            {[]string{persist, "ref: ${{ " + sha + " }}", "    runs-on", "    environment: reviewed\n    runs-on"}, []string{"12 medium untrusted-checkout: job build: " + sha}},
		"needs a refusing job":   {[]string{persist, "ref: ${{ " + sha + " }}", "  build:\n", "  first:\n    if: github.event.pull_request.head.repo.full_name == github.repository\n    steps: [{run: 'true'}]\n  build:\n    needs: first\n"}, nil},
		"needs it, but always":   {[]string{persist, "ref: ${{ " + sha + " }}", "  build:\n", "  first:\n    if: github.event.pull_request.head.repo.full_name == github.repository\n    steps: [{run: 'true'}]\n  build:\n    needs: first\n    if: always()\n"}, []string{"16 high untrusted-checkout: job build: " + sha}},
		"refused, but forgiven":  {[]string{persist, "ref: ${{ " + sha + " }}", "      - uses: actions", "      - if: github.event.pull_request.head.repo.fork\n        continue-on-error: true\n        run: exit 1\n      - uses: actions"}, []string{"14 high untrusted-checkout: job build: " + sha}},
		"refused":                {[]string{persist, "ref: ${{ " + sha + " }}", "      - uses: actions", "      - if: github.event.pull_request.head.repo.fork\n        run: echo no; exit 1\n      - uses: actions"}, nil},
		"refused or not":         {[]string{persist, "ref: ${{ " + sha + " }}", "      - uses: actions", "      - if: github.event.pull_request.head.repo.fork\n        run: test -e ok && exit 0; exit 1\n      - uses: actions"}, []string{"13 high untrusted-checkout: job build: " + sha}},
		"refused and not":        {[]string{persist, "ref: ${{ " + sha + " }}", "      - uses: actions", "      - if: github.event.pull_request.head.repo.fork\n        run: |\n          if test -e ok; then exit 0; fi\n          exit 1\n      - uses: actions"}, []string{"15 high untrusted-checkout: job build: " + sha}},
		"step of own branches":   {[]string{persist, "ref: ${{ " + sha + " }}", "      - uses: actions", "      - if: github.event.pull_request.head.repo.full_name == github.repository\n        uses: actions"}, nil},
		"asks for permission":    {[]string{persist, "ref: ${{ " + sha + " }}", "      - uses: actions", "      - uses: octo/check-user-permission@11bd71901bbe5b1630ceea73d27597364c9af683\n      - uses: actions"}, []string{"12 medium untrusted-checkout: job build: " + sha}},
		"gh":                     {[]string{"npm ci", "gh pr checkout ${{ github.event.number }} && npm ci"}, []string{"12 high untrusted-checkout: job build: gh pr checkout"}},
		"git fetch and checkout": {[]string{"run: npm ci", "run: |\n          git fetch origin pull/${{ github.event.number }}/head:pr\n          git checkout pr\n          make"}, []string{"14 high untrusted-checkout: job build: refs/pull/github.event.number"}},
		"git fetch and diff":     {[]string{"run: npm ci", "run: |\n          git fetch origin pull/${{ github.event.number }}/head:pr\n          git diff main...pr"}, nil},
		"git by a variable":      {[]string{"run: npm ci", "env:\n          SHA: ${{ " + sha + " }}\n        run: git fetch origin \"$SHA\" && git -C . checkout FETCH_HEAD"}, []string{"14 high untrusted-checkout: job build: $SHA"}},
		"git by any number":      {[]string{"run: npm ci", "run: |\n          N=$(jq .number event.json)\n          git fetch origin \"pull/${N}/head\" && git checkout FETCH_HEAD"}, []string{"14 high untrusted-checkout: job build: pull/${N}/head"}},
		"git fetch by number":    {[]string{"run: npm ci", "run: git fetch origin pull/$N/head"}, nil},
		"git clone of the fork":  {[]string{"npm ci", "git clone ${{ github.event.pull_request.head.repo.clone_url }} fork"}, []string{"12 high untrusted-checkout: job build: github.event.pull_request.head.repo.clone_url"}},
		"git commands of ours":   {[]string{"npm ci", "git fetch origin main && git checkout main"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := safe
			for i := 0; i < len(c.changes); i += 2 {
				text = change(t, text, c.changes[i], c.changes[i+1])
			}
			wantObservations(t, text, c.want...)
		})
	}
}

func TestCheckoutOnOtherEvents(t *testing.T) {
	t.Parallel()
	const ref = "ref: ${{ github.event.pull_request.head.sha }}"
	for name, c := range map[string]struct {
		event, ref, condition string
		want                  []string
	}{
		"workflow_run":                 {"workflow_run", "ref: ${{ github.event.workflow_run.head_sha }}", "", []string{"12 high untrusted-checkout: job build: github.event.workflow_run.head_sha"}},
		"workflow_run without a ref":   {"workflow_run", "fetch-depth: 0", "", nil},
		"workflow_run of pushes":       {"workflow_run", "ref: ${{ github.event.workflow_run.head_sha }}", "github.event.workflow_run.event == 'push'", nil},
		"workflow_run of successes":    {"workflow_run", "ref: ${{ github.event.workflow_run.head_sha }}", "github.event.workflow_run.conclusion == 'success'", []string{"12 high untrusted-checkout: job build: github.event.workflow_run.head_sha"}},
		"workflow_run of the same":     {"workflow_run", "ref: ${{ github.event.workflow_run.head_sha }}", "github.event.workflow_run.head_repository.full_name == github.repository", nil},
		"workflow_run, branch by name": {"workflow_run", "ref: ${{ github.event.workflow_run.head_branch }}", "", []string{"12 medium untrusted-checkout: job build: github.event.workflow_run.head_branch"}},
		"issue_comment":                {"issue_comment", "ref: refs/pull/${{ github.event.issue.number }}/head", "", []string{"12 high untrusted-checkout: job build: refs/pull/github.event.issue.number"}},
		"issue_comment of a member":    {"issue_comment", "ref: refs/pull/${{ github.event.issue.number }}/head", "github.event.comment.author_association == 'MEMBER'", []string{"12 medium untrusted-checkout: job build: refs/pull/github.event.issue.number"}},
		"issue_comment on a member's":  {"issue_comment", "ref: refs/pull/${{ github.event.issue.number }}/head", "github.event.issue.author_association == 'OWNER'", nil},
		"issue_comment, not on a PR":   {"issue_comment", ref, "", nil},
		"push":                         {"push", ref, "", nil},
		"reusable":                     {"workflow_call", ref, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.condition == "" {
				c.condition = "github.repository == 'octo/repo'"
			}
			text := change(t, taking, "    runs-on", "    if: "+c.condition+"\n    runs-on")
			wantObservations(t, change(t, change(t, text, "pull_request_target", c.event), ref, c.ref), c.want...)
		})
	}
}

// TestCheckoutRuns tells what counts as running the code that was checked out.
func TestCheckoutRuns(t *testing.T) {
	t.Parallel()
	const reads = "run: wc -l README.md"
	wantRuns := func(t *testing.T, text, what string) {
		t.Helper()
		found, problem := observe(t, text)
		if problem != nil || len(found) != 1 {
			t.Fatalf("%+v, problem %v", found, problem)
		}
		_, after, runs := strings.Cut(found[0].Message, "and runs it (")
		if got, _, _ := strings.Cut(after, ")"); runs != (what != "") || got != what {
			t.Errorf("message %q, want that it runs %q", found[0].Message, what)
		}
	}
	for step, what := range map[string]string{
		reads:                               "",
		"run: make test":                    "make test",
		"run: sudo -E make":                 "", // sudo with options is not followed
		"run: sudo make":                    "make",
		"run: CI=1 npm test":                "npm test",
		"run: cat a | ./b.sh":               "./b.sh",
		"run: cd x && go test ./...":        "go test ./...",
		"run: go version":                   "",
		"run: node --version":               "",
		"run: python3 -c 'print(1)'":        "",
		"run: python3 setup.py install":     "python3 setup.py install",
		"run: 'echo make # make'":           "",
		"run: docker build .":               "docker build .",
		"run: docker login":                 "",
		"run: (cd x; make all)":             "make all",
		"run: if ./ok; then echo y; fi":     "./ok",
		"run: X=$(npm pkg get version)":     "npm pkg get version",
		"uses: ./.github/actions/build":     "./.github/actions/build",
		"uses: actions/setup-node@" + hex40: "",
		"uses: pre-commit/action@" + hex40:  "pre-commit/action@" + hex40,
		"uses: docker/build-push-action@" + hex40 + "\n        with: {context: .}": "docker/build-push-action@" + hex40,
		"uses: ruby/setup-ruby@" + hex40 + "\n        with: {bundler-cache: true}": "ruby/setup-ruby@" + hex40,
		"uses: ruby/setup-ruby@" + hex40:                                           "",
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			wantRuns(t, change(t, taking, reads, step), what)
		})
	}
	t.Run("in another folder", func(t *testing.T) {
		t.Parallel()
		text := change(t, change(t, taking, "ref: ", "path: ./head/\n          ref: "), reads, "run: make lint")
		wantRuns(t, text, "")
		wantRuns(t, change(t, text, "make lint", "make -C head lint"), "make -C head lint")
		wantRuns(t, change(t, text, "make lint", "make -C ahead lint"), "")
		wantRuns(t, change(t, text, "make lint", "make lint\n        working-directory: head/web"), "make lint")
	})
}

const hex40 = "11bd71901bbe5b1630ceea73d27597364c9af683"

func TestCheckoutMessage(t *testing.T) {
	t.Parallel()
	found, _ := observe(t, change(t, change(t, taking, "wc -l README.md", "npm ci"), "contents: read", "contents: write"))
	const want = "on pull_request_target this job checks out the code of a pull request and runs it (npm ci) while it holds a token that may write: whoever opens one can take them"
	if len(found) != 1 || found[0].Message != want || !strings.HasPrefix(found[0].Remedy, "on: pull_request #") {
		t.Errorf("got %+v, want the message %q", found, want)
	}
}
