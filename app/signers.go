package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
)

// recallSigners adds to m what the releases of the repository taught, as it is now: the
// judgment goes by this copy, and the report keeps it.
func (a *App) recallSigners(ctx context.Context, m *checks.Material) error {
	s := m.Subject
	memory, err := a.store.SignerMemory(ctx, s.RepositoryID, s.ReleaseID, s.AssetSet)
	if err != nil {
		return fmt.Errorf("recalling who signed before: %w", err)
	}
	m.Release.Memory = &memory
	return nil
}

// countKeys notes for each key that signed here how many other repositories of the same
// installation it signs for. Nobody looks unless the policy asks: the report keeps the number.
func (a *App) countKeys(ctx context.Context, c *installation, p *checks.Policy, m *checks.Material, evidence []checks.Evidence) error {
	if p.Releases.Trust.SharedKeys == checks.RuleOff {
		return nil
	}
	var keys []string
	for _, e := range evidence {
		for _, x := range e.Attestations {
			if x.Root == checks.RootKey && x.Problem == nil {
				keys = append(keys, x.Signer.Identity)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	shared, err := a.store.SharedKeys(ctx, c.Repo.InstallationID, m.Subject.RepositoryID, slices.Compact(keys))
	if err != nil {
		return fmt.Errorf("looking for other uses of the keys: %w", err)
	}
	m.Release.Memory.Shared = shared
	return nil
}
