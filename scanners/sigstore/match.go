package sigstore

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/sums"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// shelf is the assets of a release, findable by digest and name.
type shelf struct {
	assets   []checks.Asset
	bySHA256 map[string][]int // lower-case hexadecimal to indices of assets
	bySHA512 map[string][]int
	byName   map[string]int
}

func newShelf(assets []checks.Asset) *shelf {
	s := &shelf{
		assets: slices.Clone(assets), bySHA256: map[string][]int{}, bySHA512: map[string][]int{}, byName: map[string]int{},
	}
	for i := range s.assets {
		a := &s.assets[i]
		a.SHA256, a.SHA512 = strings.ToLower(a.SHA256), strings.ToLower(a.SHA512)
		hold(a)
		if _, ok := s.byName[a.Name]; !ok {
			s.byName[a.Name] = i
		}
		if intoto.DigestShape("sha256", a.SHA256) {
			s.bySHA256[a.SHA256] = append(s.bySHA256[a.SHA256], i)
		}
		if intoto.DigestShape("sha512", a.SHA512) {
			s.bySHA512[a.SHA512] = append(s.bySHA512[a.SHA512], i)
		}
	}
	return s
}

// hold computes everything of an asset whose bytes are held. Bytes that are not those that
// were hashed are dropped.
func hold(a *checks.Asset) {
	if a.Data == nil {
		return
	}
	all := sums.Of(a.Data, sums.Wanted{SHA384: true, SHA512: true, BLAKE2b: true})
	if all.SHA256 != a.SHA256 || a.SHA512 != "" && a.SHA512 != all.SHA512 {
		a.Data = nil
		return
	}
	a.SetSums(all)
}

// unusable says why nothing can be proven about the bytes of asset i, nil when something can.
func (s *shelf) unusable(i int) *checks.Reason {
	a := &s.assets[i]
	switch {
	case a.Problem != nil:
		return a.Problem
	case a.SHA256+a.SHA512 == "", a.SHA256 != "" && !intoto.DigestShape("sha256", a.SHA256), a.SHA512 != "" && !intoto.DigestShape("sha512", a.SHA512):
		return digestInvalid("The digest of the asset is missing or not a digest, so nothing can be compared with it.")
	case a.Read != a.Size:
		return sizeMismatch(a.Size, a.Read)
	}
	return nil
}

// beside returns the asset that a piece stands beside, and whether there is one.
func (s *shelf) beside(b *checks.Bundle) (int, bool) {
	if b.For == "" {
		return 0, false
	}
	i, ok := s.byName[b.For]
	return i, ok
}

// match finds the assets that subjects name by digest. A piece that stands beside an asset
// must name that one.
func (s *shelf) match(b *checks.Bundle, subjects []checks.AttestedSubject) ([]int, *checks.Reason) {
	var found []int
	for _, subject := range subjects {
		named, problem := s.named(subject)
		if problem != nil {
			return nil, problem
		}
		found = append(found, named...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	var problem *checks.Reason
	usable := slices.DeleteFunc(slices.Clone(found), func(i int) bool {
		p := s.unusable(i)
		if p != nil {
			problem = p
		}
		return p != nil
	})
	want, beside := s.beside(b)
	switch {
	case beside && s.unusable(want) != nil:
		return nil, s.unusable(want)
	case beside && !slices.Contains(usable, want), len(found) == 0:
		return nil, s.missed(subjects)
	case len(usable) == 0:
		return nil, problem
	}
	return usable, nil
}

// named returns the assets that one subject names. Two digests that name different bytes
// are a conflict: a verifier that looks at one of them only would be led astray.
func (s *shelf) named(subject checks.AttestedSubject) ([]int, *checks.Reason) {
	short, long := subject.Digest["sha256"], subject.Digest["sha512"]
	var found []int
	for _, i := range s.bySHA256[short] {
		if a := s.assets[i]; long != "" && a.SHA512 != "" && a.SHA512 != long {
			return nil, digestConflict(a.Name)
		}
		found = append(found, i)
	}
	for _, i := range s.bySHA512[long] {
		if a := s.assets[i]; short != "" && a.SHA256 != "" && a.SHA256 != short {
			return nil, digestConflict(a.Name)
		}
		found = append(found, i)
	}
	return found, nil
}

// missed says why subjects name no asset: all digests are weak, or they cannot be compared
// because the other digest was not computed, or they are of other bytes.
func (s *shelf) missed(subjects []checks.AttestedSubject) *checks.Reason {
	weak, comparable := true, false
	for _, subject := range subjects {
		for algorithm := range subject.Digest {
			switch algorithm {
			case "sha256":
				weak = false
				comparable = comparable || len(s.bySHA256) > 0
			case "sha512":
				weak = false
				comparable = comparable || len(s.bySHA512) > 0
			case "sha1", "md5", "gitCommit", "gitTree", "gitBlob", "gitTag":
			default:
				weak = false
			}
		}
	}
	switch {
	case weak:
		return digestWeak()
	case !comparable:
		return notReadable("It names files only by digests that were not computed here. Sign with SHA-256 digests as well.")
	}
	return digestMismatch()
}

// digests returns what the library must find in the statement: for each asset the digest
// by which a subject names it.
func (s *shelf) digests(assets []int, subjects []checks.AttestedSubject) []verify.ArtifactDigest {
	named := map[string]bool{}
	for _, subject := range subjects {
		named[subject.Digest["sha256"]] = true
	}
	var list []verify.ArtifactDigest
	for _, i := range assets {
		algorithm, value := "sha256", s.assets[i].SHA256
		if value == "" || !named[value] {
			algorithm, value = "sha512", s.assets[i].SHA512
		}
		if raw, err := hex.DecodeString(value); err == nil && len(raw) > 0 {
			list = append(list, verify.ArtifactDigest{Algorithm: algorithm, Digest: raw})
		}
	}
	return list
}
