package main

import (
	"github.com/landwaiter/landwaiter/app"
)

type manifestCommand struct {
	PublicURL string `env:"LANDWAITER_PUBLIC_URL" default:"https://landwaiter.example.com" help:"Address under which GitHub reaches Landwaiter."`
}

// Help shows an example.
func (manifestCommand) Help() string {
	return "Prints app.yml: the permissions and events that the App needs, each with its reason.\n\nExample:\n  landwaiter manifest --public-url https://landwaiter.example.com > app.yml"
}

// Run prints the manifest.
func (cmd *manifestCommand) Run(c *console) error {
	_, err := c.out.Write(app.Manifest(cmd.PublicURL))
	return err
}
