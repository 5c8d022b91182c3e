// Package githubtest is a stand-in for GitHub, for tests and for the demo.
//
//	g := githubtest.NewTest(t, githubtest.Options{AutoDeliver: true})
//	g.Install("acme")                                     // the App, with every permission
//	repo := g.Repo("acme", "shop", githubtest.RepoOptions{Private: true})
//	repo.Commit("main", "first", githubtest.Files{"go.mod": "module example.com/shop\n"})
//	g.SetWebhookURL(product.URL + "/hooks")               // webhooks are signed with g.WebhookSecret()
//	pull := repo.OpenPull(githubtest.PullOptions{Head: "feature", Files: githubtest.Files{"go.mod": changed}})
//	// ... the product gets pull_request "opened" and talks to g.APIURL() as App g.AppID() with g.AppKey() ...
//	run, ok := repo.CheckRun(pull.HeadSHA(), "landwaiter/pr") // what a person would see
//	pull.Push(githubtest.Files{"go.mod": cured})          // sends "synchronize"
//
// It keeps state: what a client writes it reads back. Git objects have their real
// names, lists are paged, answers carry ETags, tokens end and are narrow, webhooks are
// signed and their deliveries can be listed and sent again. Downloads of assets and of
// attestation bundles come from a second listener, as they come from another host in
// reality.
//
// Seed it with the methods of GitHub, Org, Repo, Pull, Release and the rest; they panic
// when a test asks for what cannot be. Read what the product did with Repo.CheckRuns,
// Repo.Issues, Release.View, Deployment.Reports, GitHub.Calls and GitHub.Tokens. Break it
// with Fail (before or after acting), SetRate, Throttle, ExpireTokens, Suspend, Grant.
//
// # The contract
//
// Every request and every answer is held to GitHub's published OpenAPI description, every
// webhook to its published schema (package contract). NewTest fails the test for each
// breach; elsewhere ask Violations. A route the stand-in does not have is a breach as well.
//
// # Where it differs from GitHub
//
// Tokens and the App's own token live on the real clock, everything else on Options.Now.
// The App needs the permission of a route even on its own public repositories, where
// GitHub lets public data pass. Renames of files are seen only when the content is the
// same. Diffs are correct but not minimal. Only what Landwaiter calls is there.
//
// It is one package, and a large one, because every route and every event reads the same
// state under one lock. To add a route, put a line into the list of its group in routes_*.go; the contract says
// what the answer must hold. The package imports nothing of the product.
package githubtest
