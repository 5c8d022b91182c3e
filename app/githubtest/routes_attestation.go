package githubtest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// predicateNames are the short forms the predicate_type filter takes,
// docs.github.com/rest/repos/attestations#list-attestations.
func predicateNames(short string) string {
	switch short {
	case "provenance":
		return "https://slsa.dev/provenance/"
	case "sbom":
		return "https://spdx.dev/Document"
	case "release":
		return "https://in-toto.io/attestation/release/"
	default:
		return short
	}
}

// listAttestations lists bundles by digest, in a repository or an organisation, newest
// first. A digest without any is 404, as the service answers, although the description
// lists only 200.
func listAttestations(q *request) reply {
	digest := q.params["subject_digest"]
	var all []*attestation
	for _, r := range q.g.repos {
		inOrg := q.repo == nil && strings.EqualFold(r.owner.login, q.params["org"]) && q.sees(r)
		if r == q.repo || inOrg {
			all = append(all, r.attestations[digest]...)
		}
	}
	if len(all) == 0 {
		return notFound()
	}
	slices.SortFunc(all, func(a, b *attestation) int { return cmp.Compare(b.id, a.id) })
	if wanted := q.URL.Query().Get("predicate_type"); wanted != "" {
		prefix := predicateNames(wanted)
		all = slices.DeleteFunc(all, func(a *attestation) bool { return !strings.HasPrefix(a.predicate, prefix) })
	}
	page := q.attestationPage(all)
	return ok(object{"attestations": each(page, func(a *attestation) object { return a.object(q.g.opts.InlineBundles) })})
}

// attestationPage cuts a page by cursor and notes the Link header. The cursor is the
// id of the last attestation seen.
func (q *request) attestationPage(all []*attestation) []*attestation {
	query := q.URL.Query()
	size := 30
	if n, err := strconv.Atoi(query.Get("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	if after, err := strconv.ParseInt(query.Get("after"), 10, 64); err == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(a *attestation) bool { return a.id >= after })
	}
	if len(all) <= size {
		return all
	}
	q.nextCursor("after", all[size-1].id)
	return all[:size]
}

// nextCursor writes the Link header of lists that page by cursor.
func (q *request) nextCursor(name string, value int64) {
	query := url.Values{}
	for key, values := range q.URL.Query() {
		query[key] = values
	}
	query.Set(name, strconv.FormatInt(value, 10))
	q.next = fmt.Sprintf(`<%s%s?%s>; rel="next"`, q.g.root(), q.URL.Path, query.Encode())
}
