package lookalike

import (
	"embed"
	"strings"
	"sync"
)

//go:embed lists/*.txt
var lists embed.FS

// ecosystem is one row of the table of ecosystems: how its names are compared.
type ecosystem struct {
	list    string // lists/<list>.txt has the popular names, lists/<list>.good.txt the good ones
	normal  func(name string) string
	split   func(name string) (owner, rest string) // nil where names have no owner
	affixes affixes
	ranked  bool // the list begins with the most popular names
}

// ecosystems is the table, by OSV name. To add one: a row, and its list with a line about its
// origin in lists/README.md.
var ecosystems = map[string]ecosystem{
	"npm": {list: "npm", ranked: true, normal: strings.ToLower, split: scope, affixes: affixes{
		before: []string{"nodejs-", "node-", "js-", "npm-", "node"}, after: []string{".js", "-js", "-node", "-npm", "js"}}},
	"PyPI": {list: "pypi", ranked: true, normal: dashes, affixes: affixes{
		before: []string{"python3-", "python-", "py-", "pip-", "python", "py"}, after: []string{"-python3", "-python", "-py3", "-py", "-pip", "-lib", "python"}}},
	"crates.io": {list: "cargo", ranked: true, normal: dashes, affixes: affixes{
		before: []string{"rust-", "rs-", "cargo-", "rust"}, after: []string{"-rust", "-rs", "-crate"}}},
	"RubyGems": {list: "gem", ranked: true, normal: strings.ToLower, affixes: affixes{
		before: []string{"ruby-", "rb-"}, after: []string{"-ruby", "-rb", "-gem"}}},
	"NuGet":          {list: "nuget", normal: strings.ToLower, affixes: affixes{after: []string{".net", ".nuget", ".lib"}}},
	"Packagist":      {list: "composer", normal: strings.ToLower, split: lastSlash},
	"Maven":          {list: "maven", normal: strings.ToLower, split: group},
	"Go":             {list: "go", normal: module, split: host},
	"GitHub Actions": {list: "actions", normal: strings.ToLower, split: lastSlash},
}

// dashes is the normal form of PyPI (packaging.python.org, "Names and normalization"); crates.io
// takes "-" and "_" for the same too.
func dashes(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 128 && separator(byte(r)) })
	return strings.Join(parts, "-")
}

// module drops the major version of a module path.
func module(name string) string {
	name = strings.ToLower(name)
	i := strings.LastIndex(name, "/v")
	if i > 0 && strings.Trim(name[i+2:], "0123456789") == "" {
		return name[:i]
	}
	return name
}

// scope splits "@scope/name"; other names have no owner.
func scope(name string) (owner, rest string) {
	if !strings.HasPrefix(name, "@") {
		return "", name
	}
	owner, rest, _ = strings.Cut(name[1:], "/")
	return owner, rest
}

func lastSlash(name string) (owner, rest string) {
	owner, rest, _ = strings.Cut(name, "/")
	return owner, rest
}

func group(name string) (owner, rest string) {
	owner, rest, _ = strings.Cut(name, ":")
	return owner, rest
}

// forges are hosts on which the owner is the first part of the path. On others it is the host.
var forges = map[string]bool{"github.com": true, "gitlab.com": true, "bitbucket.org": true, "codeberg.org": true, "gitea.com": true}

func host(name string) (owner, rest string) {
	first, rest, _ := strings.Cut(name, "/")
	if !forges[first] {
		return first, rest
	}
	owner, rest, _ = strings.Cut(rest, "/")
	return owner, first + "/" + rest
}

// names are the popular names of one ecosystem, ready to be compared with.
type names struct {
	ecosystem
	flat *index // names without owner; of npm those without scope
	// owners has the owners; of whom the popular packages with the same rest are looked up.
	owners *index
	byRest map[string][]int32 // rest to owners, by their place in owners.popular
	whole  map[string]bool    // popular and good names, whole
	types  map[string]string  // npm: "typesnode" to "@types/node"
}

// loaders hold the names of each ecosystem, made at first use.
var loaders = func() map[string]func() *names {
	all := map[string]func() *names{}
	for osv, e := range ecosystems {
		all[osv] = sync.OnceValue(func() *names { return load(e) })
	}
	return all
}()

// load reads the lists of an ecosystem.
func load(e ecosystem) *names {
	n := &names{ecosystem: e, byRest: map[string][]int32{}, whole: map[string]bool{}, types: map[string]string{}}
	var flat, owners []string
	place := map[string]int32{}
	for _, name := range read(e.list) {
		name = e.normal(name)
		n.whole[name] = true
		owner, rest := "", name
		if e.split != nil {
			owner, rest = e.split(name)
		}
		if owner == "" {
			flat = append(flat, rest)
			continue
		}
		if _, ok := place[owner]; !ok {
			place[owner] = int32(len(owners))
			owners = append(owners, owner)
		}
		n.byRest[rest] = append(n.byRest[rest], place[owner])
		if e.list == "npm" && owner == "types" {
			n.types[squash(owner+rest)] = name
		}
	}
	var goodFlat, goodOwners []string
	for _, name := range read(e.list + ".good") {
		name = e.normal(name)
		n.whole[name] = true
		if owner, ok := strings.CutSuffix(name, "/*"); ok {
			goodOwners = append(goodOwners, strings.TrimPrefix(owner, "@"))
		} else {
			goodFlat = append(goodFlat, name)
		}
	}
	n.flat, n.owners = newIndex(flat, goodFlat, e), newIndex(owners, goodOwners, ecosystem{ranked: e.ranked})
	return n
}

// read returns the lines of a list; one that is not there has none.
func read(list string) []string {
	text, err := lists.ReadFile("lists/" + list + ".txt")
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

// find says which popular name a name looks like, and why. popular is "" when there is none.
func (n *names) find(name string) (found likeness) {
	if plain := fold(name); plain != name {
		if plain = n.normal(plain); n.whole[plain] {
			return likeness{plain, "characters of other alphabets stand for its letters"}
		}
		return found
	}
	name = n.normal(name)
	if n.whole[name] || !printable(name) {
		return found
	}
	owner, rest := "", name
	if n.split != nil {
		owner, rest = n.split(name)
	}
	if owner == "" {
		found, _ = n.flat.flat(rest, n.affixes)
		if scoped, ok := n.types[squash(rest)]; ok && found.popular == "" {
			return likeness{scoped, "the scope is part of the name"}
		}
		return found
	}
	return n.owned(owner, rest)
}

func printable(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// owned compares a package of an owner with the popular packages of the same rest. An owner may
// call its packages as it likes, so only who it seems to be counts. A scope of npm is compared
// whatever the package is called: scopes are registered, and similar ones are rare.
func (n *names) owned(owner, rest string) likeness {
	if n.owners.isPopular(owner) {
		return likeness{}
	}
	if n.list == "npm" {
		found, ok := n.owners.flat(owner, affixes{})
		if !ok {
			return likeness{}
		}
		return likeness{"@" + found.popular + "/" + rest, "in the scope " + found.why}
	}
	for _, at := range n.byRest[rest] {
		popular := n.owners.popular[at]
		if why, ok := seems(owner, popular, n.list); ok {
			return likeness{n.join(popular, rest), why}
		}
	}
	return likeness{}
}

// join is the reverse of split.
func (n *names) join(owner, rest string) string {
	switch n.list {
	case "maven":
		return owner + ":" + rest
	case "go":
		if first, path, _ := strings.Cut(rest, "/"); forges[first] {
			return first + "/" + owner + "/" + path
		}
	}
	return owner + "/" + rest
}

// seems reports whether an owner looks like a popular one that has a package of the same name.
func seems(owner, popular, list string) (why string, ok bool) {
	if len(popular) < 3 {
		return "", false
	}
	kind, at := difference(owner, popular)
	switch {
	case kind != other && kind != same && !numbered(owner, popular, kind, at) && len(popular) >= shortName-1:
		return "in the owner " + words(owner, popular, kind, at), true
	case squash(owner) == squash(popular):
		return "only the separators of the owner differ", true
	case alike(owner) == alike(popular):
		return "characters of the owner that look alike stand for others", true
	}
	if list == "maven" || list == "go" {
		if a, b := domain(owner, list), domain(popular, list); a != "" && a == b {
			return "the owner has another top-level domain", true
		}
	}
	for _, affix := range []string{"-go", "go-", "-io", "-org", "-dev", "-official", "-team", "-inc", "official-"} {
		if owner == popular+affix || owner == affix+popular {
			return "\"" + affix + "\" is added to the owner", true
		}
	}
	return "", false
}

// domain is a domain without its top level, which stands first in Maven's groups and last in
// hosts; "" when there is nothing else.
func domain(owner, list string) string {
	i, j := strings.IndexByte(owner, '.'), strings.LastIndexByte(owner, '.')
	switch {
	case i < 0:
		return ""
	case list == "maven" && topLevels[owner[:i]]:
		return owner[i+1:]
	case list == "go" && topLevels[owner[j+1:]]:
		return owner[:j]
	}
	return ""
}

// topLevels are the ones under which software is published most.
var topLevels = map[string]bool{"com": true, "org": true, "net": true, "io": true, "dev": true, "in": true, "co": true, "app": true, "sh": true, "me": true, "info": true}
