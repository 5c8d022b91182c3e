package signers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var release = Profile{
	Issuer: "https://token.actions.githubusercontent.com", Signer: ".github/workflows/release.yml", Ref: "tag", Source: "tag",
	Runner: "github-hosted", Builder: ".github/workflows/release.yml", Caller: ".github/workflows/release.yml",
}

func known(p Profile, tag string) Known {
	return Known{Profile: p, Release: tag, ReleaseID: 1, Since: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
}

// TestCompare starts from a signer that is known and changes one field each.
func TestCompare(t *testing.T) {
	t.Parallel()
	m := Memory{Version: 2, Known: []Known{known(Profile{Key: "pgp:AA"}, "v0.1.0"), known(release, "v1.0.0")}}
	if d, drift := m.Compare(release); drift {
		t.Fatalf("baseline: got %+v", d)
	}
	for name, change := range map[string]func(*Profile){
		"issuer": func(p *Profile) { p.Issuer = "https://gitlab.com" }, "signer": func(p *Profile) { p.Signer = ".github/workflows/other.yml" },
		"ref": func(p *Profile) { p.Ref = "branch main" }, "source": func(p *Profile) { p.Source = "branch main" },
		"runner": func(p *Profile) { p.Runner = "self-hosted" }, "builder": func(p *Profile) { p.Builder = "x" },
		"caller": func(p *Profile) { p.Caller = "" }, "key": func(p *Profile) { p.Key = "pgp:AA" },
	} {
		now := release
		change(&now)
		d, drift := m.Compare(now)
		if !drift || d.Subject != now.ID() {
			t.Errorf("%s: got %v, %+v", name, drift, d)
		}
		if diff := cmp.Diff(Drift{Subject: now.ID(), Then: m.Known[1], Now: now, Differs: []string{name}}, d); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if d, drift := (Memory{}).Compare(release); drift {
		t.Errorf("a memory that nobody taught: got %+v", d)
	}
}

// TestCompareWithdrawn: what failed since vouches for nothing, and does not make the memory
// one that anybody may teach.
func TestCompareWithdrawn(t *testing.T) {
	t.Parallel()
	gone := known(release, "v1.0.0")
	gone.Withdrawn = true
	other := release
	other.Signer = "b"
	m := Memory{Known: []Known{gone}}
	if d, drift := m.Compare(release); !drift || d.Differs[0] != "withdrawn" {
		t.Errorf("the signer of a withdrawn release: got %v, %+v", drift, d)
	}
	if d, drift := m.Compare(other); !drift || !m.Taught() {
		t.Errorf("another signer: got %v, %+v", drift, d)
	}
	m.Known = append(m.Known, known(Profile{Key: "pgp:AA"}, "v1.1.0"))
	if d, _ := m.Compare(other); d.Then.Key != "pgp:AA" {
		t.Errorf("then is %+v, want the one that stands although it is further away", d.Then)
	}
	if first := m.FirstSeen("pgp:AA"); first.IsZero() || !m.FirstSeen("pgp:BB").IsZero() {
		t.Errorf("first seen: %s", first)
	}
}

// TestAfter: the next release finds what this one knew and taught.
func TestAfter(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	key, gone := Profile{Key: "pgp:AA"}, known(Profile{Key: "pgp:BB"}, "v0.1.0")
	gone.Withdrawn = true
	r := Recall{Memory: Memory{Version: 4, Releases: 2, Known: []Known{gone, known(release, "v1.0.0")}, Previous: "v1.0.0", Names: []string{"old"}, Seen: at}}
	if diff := cmp.Diff(Memory{Version: 4, Releases: 2, Known: r.Known, Previous: "v1.0.0", Names: []string{"old"}}, r.After("v2.0.0", 7, at)); diff != "" {
		t.Errorf("after one that teaches nothing (-want +got):\n%s", diff)
	}
	r.Teaches = &Lesson{Signers: []Profile{release, key, gone.Profile}, Names: []string{"new"}}
	want := Memory{Version: 4, Releases: 3, Previous: "v2.0.0", Names: []string{"new"}, Known: []Known{
		gone, known(release, "v1.0.0"), {Profile: key, Release: "v2.0.0", ReleaseID: 7, Since: at}, {Profile: gone.Profile, Release: "v2.0.0", ReleaseID: 7, Since: at},
	}}
	if diff := cmp.Diff(want, r.After("v2.0.0", 7, at)); diff != "" {
		t.Errorf("after one that teaches (-want +got):\n%s", diff)
	}
	if len(r.Known) != 2 {
		t.Error("the report's own memory was changed")
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	seen := map[string]Profile{}
	for _, p := range []Profile{{}, {Issuer: "a"}, {Signer: "a"}, {Issuer: "a1:b"}, {Issuer: "a", Signer: "b"}, {Issuer: "ab"}, release} {
		if other, twice := seen[p.ID()]; twice || len(p.ID()) != 71 {
			t.Errorf("%+v and %+v have one ID", p, other)
		}
		seen[p.ID()] = p
	}
}

func TestRefClass(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"refs/tags/v1.2.3": "tag", "refs/heads/main": "branch main", "refs/heads/release-1.2": "branch release-*",
		strings.Repeat("a", 40): "commit", "": "", "refs/pull/5/merge": "refs/pull/5/merge",
	} {
		if got := RefClass(ref); got != want {
			t.Errorf("%q: got %q, want %q", ref, got, want)
		}
	}
}

// TestPattern pairs the names of one file in two releases, as real projects write them.
func TestPattern(t *testing.T) {
	t.Parallel()
	const commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
	for _, c := range []struct{ tag, name, want string }{
		{"v1.2.3", "tool_1.2.3_linux_amd64.tar.gz", "tool_*_linux_amd64.tar.gz"},
		{"v1.2.4", "tool_1.2.4_linux_amd64.tar.gz", "tool_*_linux_amd64.tar.gz"},
		{"v1.2.3", "tool-v1.2.3-x86_64-unknown-linux-musl.tar.gz", "tool-*-x86_64-unknown-linux-musl.tar.gz"},
		{"tool-v1.2.3", "tool-v1.2.3-arm64.zip", "*-arm64.zip"},
		{"v2.0.0-rc.1", "tool_2.0.0-rc.1_windows_386.zip", "tool_*_windows_386.zip"},
		{"v2.0.0-rc.1", "tool_2.0.0~rc.1_amd64.deb", "tool_*_amd64.deb"},
		{"v2.0.0-rc.1", "tool_2.0.0_amd64.deb", "tool_*_amd64.deb"},
		{"nightly", "tool-0.9.1-dev.20261128-macos.zip", "tool-*-macos.zip"},
		{"nightly", "tool-2026-11-28.zip", "tool-*.zip"},
		{"nightly", "tool-1a2b3c4.zip", "tool-*.zip"},
		{"v12", "app-12-linux.tar.xz", "app-*-linux.tar.xz"},
		{"v12", "app-v12.apk", "app-*.apk"},
		{"v1.0.0", "app-ed25519-x64.msi", "app-ed25519-x64.msi"},
		{"v1.0.0", "SHA256SUMS", "SHA256SUMS"},
		{"v1.0.0", "libfoo.so.6", "libfoo.so.6"},
		{"v1.0.0", "tool-armv7.tar.gz", "tool-armv7.tar.gz"},
		{"v2", "tool-armv2.tar.gz", "tool-armv2.tar.gz"},
		{"go1.22.3", "go1.22.3.linux-amd64.tar.gz", "*.linux-amd64.tar.gz"},
		{"v1.0.0", "tool_1.0.0_checksums.txt.asc", "tool_*_checksums.txt.asc"},
		{"", "", ""},
		{"v1.0.0", strings.Repeat("1.0.0-", 200), strings.Repeat("1.0.0-", 200)},
	} {
		if got := Pattern(c.name, c.tag, commit); got != c.want {
			t.Errorf("%s of %s: got %s, want %s", c.name, c.tag, got, c.want)
		}
	}
}

func TestCompareNames(t *testing.T) {
	t.Parallel()
	then := Patterns([]string{"tool_1.2.3_linux.tar.gz", "tool_1.2.3_darwin.tar.gz", "SHA256SUMS"}, "v1.2.3", "")
	m := Memory{Previous: "v1.2.3", Names: then}
	for _, c := range []struct {
		name            string
		names           []string
		added, vanished []string
	}{
		{"the next version", []string{"tool_1.2.4_linux.tar.gz", "tool_1.2.4_darwin.tar.gz", "SHA256SUMS"}, nil, nil},
		{"one more", []string{"tool_1.2.4_linux.tar.gz", "tool_1.2.4_darwin.tar.gz", "SHA256SUMS", "install.sh"}, []string{"install.sh"}, nil},
		{"one less", []string{"tool_1.2.4_linux.tar.gz", "SHA256SUMS"}, nil, []string{"tool_*_darwin.tar.gz"}},
		{"none", []string{}, nil, then},
	} {
		added, vanished := m.CompareNames(Patterns(c.names, "v1.2.4", ""))
		if diff := cmp.Diff([][]string{c.added, c.vanished}, [][]string{added, vanished}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if Patterns(make([]string, MaxNames+1), "", "") != nil {
		t.Error("more names than are remembered are remembered")
	}
	if added, vanished := m.CompareNames(nil); added != nil || vanished != nil {
		t.Errorf("names that are not known: got %v, %v", added, vanished)
	}
}

// FuzzPattern: names are foreign input. A pattern is never longer than the name, and a name
// without version parts is its own.
func FuzzPattern(f *testing.F) {
	f.Add("tool_1.2.3_linux_amd64.tar.gz", "v1.2.3", "1a2b3c4d5e6f")
	f.Add("a-1.2.3-rc.1-2026-11-28-1a2b3c4", "a-v1.2.3-rc.1", "1a2b3c4d5e6f")
	f.Add("v1v1.1*1", "1", "1111111")
	f.Fuzz(func(t *testing.T, name, tag, commit string) {
		got := Pattern(name, tag, commit)
		if len(got) > len(name) {
			t.Errorf("%q is longer than %q", got, name)
		}
		if parts := strings.Split(got, "*"); len(parts) == 1 && got != name {
			t.Errorf("%q of %q has no place where something was taken out", got, name)
		}
	})
}
