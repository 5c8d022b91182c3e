package workflows

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

const quiet = `on:
  issues:
    types: [opened]
permissions:
  issues: write
env:
  NAME: value
jobs:
  greet:
    runs-on: ubuntu-latest
    env:
      MODE: strict
    steps:
      - id: first
        env:
          TITLE: ${{ github.event.issue.title }}
        run: |
          echo "$TITLE"
          echo done
      - run: echo bye
`

func TestInjection(t *testing.T) {
	t.Parallel()
	const issues, title = "issues:\n    types: [opened]", "echo done"
	const expr = "${{ github.event.issue.title }}"
	for name, c := range map[string]struct {
		changes []string // from, to, ...
		want    []string
	}{
		"through the environment": {nil, nil},
		"title of an issue":       {[]string{title, "echo " + strings.ReplaceAll(expr, "title", "body")}, []string{"19 high script-injection: job greet: github.event.issue.body"}},
		"in another case":         {[]string{title, "echo ${{ GitHub.Event['issue'].Title }}"}, []string{"19 high script-injection: job greet: GitHub.Event.issue.Title"}},
		"number of an issue":      {[]string{title, "echo ${{ github.event.issue.number }}"}, nil},
		"login":                   {[]string{title, "echo ${{ github.event.issue.user.login }}"}, nil},
		"compared":                {[]string{title, "echo ${{ github.event.issue.body == 'x' }}"}, nil},
		"negated":                 {[]string{title, "echo ${{ !github.event.issue.body }}"}, nil},
		"contains":                {[]string{title, "echo ${{ contains(github.event.issue.body, 'x') }}"}, nil},
		"startsWith":              {[]string{title, "echo ${{ startsWith(github.event.issue.body, 'x') }}"}, nil},
		"condition only":          {[]string{title, "echo ${{ github.event.issue.body && 'long' || 'short' }}"}, nil},
		"as default":              {[]string{title, "echo ${{ github.event.issue.body || 'none' }}"}, []string{"19 high script-injection: job greet: github.event.issue.body"}},
		"behind a condition":      {[]string{title, "echo ${{ github.event_name == 'issues' && github.event.issue.body }}"}, []string{"19 high script-injection: job greet: github.event.issue.body"}},
		"behind another event":    {[]string{title, "echo ${{ github.event_name == 'push' && github.event.issue.body }}"}, nil},
		"format":                  {[]string{title, "echo ${{ format('{0}', github.event.issue.body) }}"}, []string{"19 high script-injection: job greet: github.event.issue.body"}},
		"join":                    {[]string{title, "echo ${{ join(github.event.*.body, ',') }}"}, []string{"19 high script-injection: job greet: github.event.*.body"}},
		"toJSON of the event":     {[]string{title, "echo '${{ toJSON(github.event) }}'"}, []string{"19 high script-injection: job greet: github.event"}},
		"toJSON of the number":    {[]string{title, "echo '${{ toJSON(github.event.issue.number) }}'"}, nil},
		"element of fromJSON":     {[]string{title, "echo ${{ fromJSON(github.event.issue.body).name }}"}, []string{"19 high script-injection: job greet: github.event.issue.body"}},
		"not of this event":       {[]string{title, "echo ${{ github.event.pull_request.title }}"}, nil},
		"two in a line": {[]string{title, "echo ${{ github.event.issue.body }} ${{ github.event.issue.body }}"}, []string{
			"19 high script-injection: job greet: github.event.issue.body", "19 high script-injection: job greet: github.event.issue.body (2)",
		}},
		"env of the step":       {[]string{title, "echo ${{ env.TITLE }}"}, []string{"19 high script-injection: job greet: env.TITLE"}},
		"env of the job":        {[]string{title, "echo ${{ env.MODE }}"}, nil},
		"tainted env of a job":  {[]string{title, "echo ${{ env.MODE }}", "strict", expr}, []string{"19 high script-injection: job greet: env.MODE"}},
		"tainted workflow env":  {[]string{title, "echo ${{ env.NAME }}", "NAME: value", "NAME: " + strings.ReplaceAll(expr, "title", "body")}, []string{"19 high script-injection: job greet: env.NAME"}},
		"step env hides it":     {[]string{title, "echo ${{ env.MODE }}", "strict", expr, "TITLE: ${{", "MODE: none\n          TITLE: ${{"}, nil},
		"output of a step":      {[]string{"echo done", `echo "t=$TITLE" >> "$GITHUB_OUTPUT"`, "echo bye", "echo ${{ steps.first.outputs.t }}"}, []string{"20 high script-injection: job greet: steps.first.outputs.t"}},
		"output made clean":     {[]string{"echo done", `echo "t=$(echo "$TITLE" | tr -cd a-z)" >> "$GITHUB_OUTPUT"`, "echo bye", "echo ${{ steps.first.outputs.t }}"}, nil},
		"another output":        {[]string{"echo done", `echo "at=$TITLE" >> "$GITHUB_OUTPUT"`, "echo bye", "echo ${{ steps.first.outputs.t }}"}, nil},
		"variable of a step":    {[]string{"echo done", `echo "T=$TITLE" >> $GITHUB_ENV`, "echo bye", "echo ${{ env.T }}"}, []string{"20 high script-injection: job greet: env.T"}},
		"output of another job": {[]string{"    env:\n      MODE: strict\n", "    outputs:\n      t: ${{ steps.first.outputs.t }}\n", "echo done", `echo "t=$TITLE" >> "$GITHUB_OUTPUT"`, "      - run: echo bye\n", "  next:\n    needs: greet\n    steps:\n      - run: echo ${{ needs.greet.outputs.t }}\n"}, []string{"23 high script-injection: job next: needs.greet.outputs.t"}},
		"matrix":                {[]string{"    env:\n      MODE: strict\n", "    strategy:\n      matrix:\n        t: ['${{ github.event.issue.body }}']\n", "echo done", "echo ${{ matrix.t }}"}, []string{"20 high script-injection: job greet: matrix.t"}},
		"job that never runs":   {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: false\n"}, nil},
		"own issues only":       {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: github.event.issue.user.login == 'octocat'\n"}, nil},
		"members only":          {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: contains(fromJSON('[\"OWNER\", \"MEMBER\"]'), github.event.issue.author_association)\n"}, nil},
		"contributors too":      {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: contains(fromJSON('[\"OWNER\", \"CONTRIBUTOR\"]'), github.event.issue.author_association)\n"}, []string{"18 high script-injection: job greet: github.event.issue.title"}},
		"actor only":            {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: github.actor == 'octocat'\n"}, []string{"18 medium script-injection: job greet: github.event.issue.title"}},
		"condition around text": {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: ${{ github.event.issue.user.login == 'octocat' }} && true\n"}, []string{"18 high script-injection: job greet: github.event.issue.title"}},
		"either of two": {[]string{title, "echo " + expr, "    env:\n      MODE: strict\n", "    if: github.event.issue.user.login == 'octocat' || github.event.action == 'opened'\n"}, []string{
			"18 high script-injection: job greet: github.event.issue.title",
		}},
		"step that refuses":        {[]string{title, "echo " + expr, "      - id: first\n", "      - if: github.event.issue.user.login != 'octocat'\n        run: exit 1\n      - id: first\n"}, nil},
		"step that may refuse":     {[]string{title, "echo " + expr, "      - id: first\n", "      - if: github.event.issue.number > 7\n        run: exit 1\n      - id: first\n"}, []string{"21 high script-injection: job greet: github.event.issue.title"}},
		"pull_request":             {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request:"}, []string{"18 medium script-injection: job greet: github.head_ref"}},
		"pull_request_target":      {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request_target:"}, []string{"18 high script-injection: job greet: github.head_ref"}},
		"worst of two events":      {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request:\n  pull_request_target:"}, []string{"19 high script-injection: job greet: github.head_ref"}},
		"job of the other event":   {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request:\n  pull_request_target:", "    env:\n      MODE: strict\n", "    if: github.event_name == 'pull_request'\n"}, []string{"18 medium script-injection: job greet: github.head_ref"}},
		"branches of this":         {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request_target:", "    env:\n      MODE: strict\n", "    if: github.event.pull_request.head.repo.full_name == github.repository\n"}, nil},
		"no forks":                 {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request_target:", "    env:\n      MODE: strict\n", "    if: ${{ !github.event.pull_request.head.repo.fork }}\n"}, nil},
		"forks only":               {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request_target:", "    env:\n      MODE: strict\n", "    if: github.event.pull_request.head.repo.fork\n"}, []string{"17 high script-injection: job greet: github.head_ref"}},
		"main only":                {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request:", "    env:\n      MODE: strict\n", "    if: github.ref == 'refs/heads/main'\n"}, nil},
		"merged":                   {[]string{title, "echo ${{ github.head_ref }}", issues, "pull_request_target:", "    env:\n      MODE: strict\n", "    if: github.event.pull_request.merged == true\n"}, []string{"17 medium script-injection: job greet: github.head_ref"}},
		"sha":                      {[]string{title, "echo ${{ github.event.pull_request.head.sha }}", issues, "pull_request_target:"}, nil},
		"base branch":              {[]string{title, "echo ${{ github.base_ref }} ${{ github.event.pull_request.base.ref }}", issues, "pull_request_target:"}, nil},
		"comment":                  {[]string{title, "echo ${{ github.event.comment.body }}", issues, "issue_comment:"}, []string{"18 high script-injection: job greet: github.event.comment.body"}},
		"comments of members":      {[]string{title, "echo ${{ github.event.comment.body }}", issues, "issue_comment:", "    env:\n      MODE: strict\n", "    if: github.event.comment.author_association == 'MEMBER'\n"}, nil},
		"title under a member's":   {[]string{title, "echo " + expr, issues, "issue_comment:", "    env:\n      MODE: strict\n", "    if: github.event.comment.author_association == 'MEMBER'\n"}, []string{"17 medium script-injection: job greet: github.event.issue.title"}},
		"review":                   {[]string{title, "echo ${{ github.event.review.body }}", issues, "pull_request_review:"}, []string{"18 medium script-injection: job greet: github.event.review.body"}},
		"discussion":               {[]string{title, "echo ${{ github.event.discussion.title }}", issues, "discussion:"}, []string{"18 high script-injection: job greet: github.event.discussion.title"}},
		"wiki":                     {[]string{title, "echo ${{ github.event.pages[0].page_name }}", issues, "gollum:"}, []string{"18 high script-injection: job greet: github.event.pages.*.page_name"}},
		"commits":                  {[]string{title, "echo ${{ join(github.event.commits.*.author.email) }}", issues, "push:"}, []string{"18 medium script-injection: job greet: github.event.commits.*.author.email"}},
		"head commit":              {[]string{title, "echo ${{ github.event.head_commit.message }}", issues, "push:"}, []string{"18 medium script-injection: job greet: github.event.head_commit.message"}},
		"branch of a run":          {[]string{title, "echo ${{ github.event.workflow_run.head_branch }}", issues, "workflow_run:"}, []string{"18 high script-injection: job greet: github.event.workflow_run.head_branch"}},
		"branch of a pushed run":   {[]string{title, "echo ${{ github.event.workflow_run.head_branch }}", issues, "workflow_run:", "    env:\n      MODE: strict\n", "    if: github.event.workflow_run.event == 'push'\n"}, nil},
		"branch called main":       {[]string{title, "echo ${{ github.event.workflow_run.head_branch }}", issues, "workflow_run:", "    env:\n      MODE: strict\n", "    if: github.event.workflow_run.head_branch == 'main'\n"}, []string{"17 high script-injection: job greet: github.event.workflow_run.head_branch"}},
		"input of a run by hand":   {[]string{title, "echo ${{ inputs.name }}", issues, "workflow_dispatch:\n    inputs:\n      name: {}"}, []string{"20 low script-input: job greet: inputs.name"}},
		"input of some choices":    {[]string{title, "echo ${{ inputs.name }}", issues, "workflow_dispatch:\n    inputs:\n      name: {type: choice, options: [a]}"}, nil},
		"input of a caller":        {[]string{title, "echo ${{ inputs.name }}", issues, "workflow_call:\n    inputs:\n      name: {type: string}"}, []string{"20 low script-input: job greet: inputs.name"}},
		"number of a caller":       {[]string{title, "echo ${{ inputs.name }}", issues, "workflow_call:\n    inputs:\n      name: {type: number}"}, nil},
		"payload of a dispatch":    {[]string{title, "echo ${{ github.event.client_payload.ref }}", issues, "repository_dispatch:"}, []string{"18 low script-input: job greet: github.event.client_payload.ref"}},
		"event of a caller":        {[]string{title, "echo ${{ github.head_ref }}", issues, "workflow_call:"}, []string{"18 medium script-injection: job greet: github.head_ref"}},
		"github-script":            {[]string{"- run: echo bye", "- uses: actions/github-script@60a0d83039c74a4aee543508d2ffcb1c3799cdea\n        with:\n          script: |\n            const t = `" + expr + "`"}, []string{"23 high script-injection: job greet: github.event.issue.title"}},
		"github-script, toJSON":    {[]string{"- run: echo bye", "- uses: actions/github-script@60a0d83039c74a4aee543508d2ffcb1c3799cdea\n        with:\n          script: |\n            const t = ${{ toJSON(github.event.issue.title) }}"}, nil},
		"github-script, quoted":    {[]string{"- run: echo bye", "- uses: actions/github-script@60a0d83039c74a4aee543508d2ffcb1c3799cdea\n        with:\n          script: |\n            const t = '${{ toJSON(github.event.issue.title) }}'"}, []string{"23 high script-injection: job greet: github.event.issue.title"}},
		"script of a known action": {[]string{"- run: echo bye", "- uses: appleboy/ssh-action@0ff4204d59e8e51228ff73bce53f80d53301dee2\n        with:\n          host: h\n          script: echo " + expr}, []string{"23 high script-injection: job greet: github.event.issue.title"}},
		"input of other actions":   {[]string{"- run: echo bye", "- uses: octo/comment@0ff4204d59e8e51228ff73bce53f80d53301dee2\n        with:\n          body: " + expr}, nil},
		"one line":                 {[]string{"- run: echo bye", "- run: echo " + expr}, []string{"20 high script-injection: job greet: github.event.issue.title"}},
		"folded":                   {[]string{"- run: echo bye", "- run: >\n          echo one\n\n          echo " + expr}, []string{"23 high script-injection: job greet: github.event.issue.title"}},
		"quoted over lines":        {[]string{"- run: echo bye", "- run: \"echo one\n\n          echo " + expr + "\""}, []string{"22 high script-injection: job greet: github.event.issue.title"}},
		"over two lines":           {[]string{"- run: echo bye", "- run: |\n          echo one\n          echo ${{\n            github.event.issue.title }}"}, []string{"20 high script-injection: job greet: github.event.issue.title"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := quiet
			for i := 0; i < len(c.changes); i += 2 {
				text = change(t, text, c.changes[i], c.changes[i+1])
			}
			wantObservations(t, text, c.want...)
		})
	}
}

func TestInjectionInAction(t *testing.T) {
	t.Parallel()
	const action = "name: a\ninputs:\n  who: {}\nruns:\n  using: composite\n  steps:\n    - run: echo \"$WHO\"\n      shell: bash\n      env:\n        WHO: ${{ inputs.who }}\n"
	for name, c := range map[string]struct {
		to   string
		want []string
	}{
		"environment": {`echo "$WHO"`, nil},
		"input":       {"echo ${{ inputs.who }}", []string{"7 low script-input: action: inputs.who"}},
		"no input":    {"echo ${{ inputs.other }}", nil},
		"env":         {"echo ${{ env.WHO }}", []string{"7 low script-input: action: env.WHO"}},
		"branch":      {"echo ${{ github.head_ref }}", []string{"7 medium script-injection: action: github.head_ref"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantObservations(t, change(t, action, `echo "$WHO"`, c.to), c.want...)
		})
	}
}

func TestInjectionRemedy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, message, remedy string }{
		"direct": {
			"echo done", "echo ${{ github.event.issue.body }}",
			"github.event.issue.body stands in the program as it was written: whoever opens an issue can run commands in this job, which has the token and secrets of the repository on issues",
			"env:\n  ISSUE_BODY: ${{ github.event.issue.body }}\nrun: ... \"$ISSUE_BODY\" ... # in PowerShell $env:ISSUE_BODY",
		},
		"by a variable": {
			"echo done", "echo ${{ env.TITLE }}",
			"env.TITLE holds github.event.issue.title and stands in the program as it was written: whoever opens an issue can run commands in this job, which has the token and secrets of the repository on issues",
			"run: ... \"$TITLE\" ... # in PowerShell $env:TITLE",
		},
		"JavaScript": {
			"- run: echo bye", "- uses: actions/github-script@60a0d83039c74a4aee543508d2ffcb1c3799cdea\n        with:\n          script: f('${{ github.event.issue.body }}')",
			"github.event.issue.body stands in the program as it was written: whoever opens an issue can run commands in this job, which has the token and secrets of the repository on issues",
			"env:\n  ISSUE_BODY: ${{ github.event.issue.body }}\nwith:\n  script: ... process.env.ISSUE_BODY ...",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, _ := observe(t, change(t, quiet, c.from, c.to))
			if len(found) != 1 || found[0].Message != c.message || found[0].Remedy != c.remedy || found[0].Rule != inventory.RuleInjection {
				t.Errorf("got %+v, want the message %q and the remedy %q", found, c.message, c.remedy)
			}
		})
	}
}
