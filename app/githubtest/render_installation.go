package githubtest

import (
	"fmt"
	"maps"
)

// object renders the schema installation.
func (i *Installation) object() object {
	selection := "selected"
	if i.all {
		selection = "all"
	}
	o := object{
		"id": i.ID, "account": i.g.simpleUser(i.account), "repository_selection": selection,
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", i.g.apiRoot(), i.ID),
		"repositories_url":  i.g.apiRoot() + "/installation/repositories",
		"html_url":          fmt.Sprintf("%s/organizations/%s/settings/installations/%d", i.g.root(), i.account.login, i.ID),
		"app_id":            i.g.opts.AppID, "app_slug": i.g.opts.AppSlug, "target_id": i.account.id, "target_type": i.account.kind,
		"permissions": maps.Clone(i.permissions), "events": i.g.events(), "created_at": stamp(i.created), "updated_at": stamp(i.updated),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{},
		"suspended_by": nil, "suspended_at": stampOrNil(i.suspended),
	}
	if !i.suspended.IsZero() {
		o["suspended_by"] = i.g.simpleUser(i.g.account("mona", "User"))
	}
	return o
}

// brief lists repositories as installation events do.
func (i *Installation) brief(list []*Repo) []object { return each(list, (*Repo).brief) }
