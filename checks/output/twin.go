package output

import "fmt"

// HeldByTwin returns run as a failure, because the verdict on another pull request with the
// same head, whose check has the title, is one: checks on GitHub belong to commits, so this
// run would count for the other pull request too.
func HeldByTwin(run CheckRun, number int, title string) CheckRun {
	own := run.Title
	run.Conclusion = "failure"
	run.Title = cut(fmt.Sprintf("Fails for #%d, which has the same commit", number), maxTitle)
	why := fmt.Sprintf("**Pull request #%d has the same head commit, and there the verdict is: %s**\n\n"+
		"On GitHub a check belongs to the commit, so this one counts for both. By itself this pull request has: %s. "+
		"Cure #%d or close it; or push a commit of its own here, such as an empty one: `git commit --allow-empty`.\n\n", number, Escape(title), Escape(own), number)
	run.Summary = Truncate(why+run.Summary, MaxBody, "**Cut here, because GitHub shows no more.**")
	return run
}
