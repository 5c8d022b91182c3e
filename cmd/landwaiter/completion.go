package main

import kongcompletion "github.com/jotaen/kong-completion"

type completionCommand struct {
	kongcompletion.Completion
}

// Help shows an example.
func (completionCommand) Help() string {
	return `Without an argument it finds your login shell and says what to run. Paste the same line into
your shell's start-up file to keep it.

Examples:
  source <(landwaiter completion --code bash)
  source <(landwaiter completion --code zsh)
  landwaiter completion --code fish | source`
}
