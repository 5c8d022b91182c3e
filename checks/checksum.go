package checks

import (
	"fmt"
	"strings"
)

// listing is one line of a list of checksums that names an asset.
type listing struct {
	list *ChecksumList
	line Checksum
}

func (l listing) String() string { return fmt.Sprintf("%s, line %d", l.list.Asset, l.line.Line) }

// addList files the lines of a list under the assets that they may name.
func (s *stand) addList(l *ChecksumList) {
	s.lists = append(s.lists, l)
	if l.Problem != nil {
		return
	}
	for _, line := range l.Entries {
		name := line.Name
		if !s.assets[name] {
			name = uploadName(name)
		}
		if name != l.Asset {
			s.listed[name] = append(s.listed[name], listing{l, line})
		}
	}
}

// agreement says how a line of a list compares with the bytes of an asset.
type agreement int

const (
	lineWeak    agreement = iota // by an algorithm that does not bind bytes
	lineOpen                     // by an algorithm that was not computed here
	lineAgrees                   // the digest is that of the bytes
	lineDiffers                  // it is of other bytes
)

func (l listing) compare(a Asset) agreement {
	known, strong := map[string]string{"sha256": a.SHA256, "sha384": a.SHA384, "sha512": a.SHA512}[l.line.Algorithm]
	switch {
	case !strong:
		return lineWeak
	case known == "":
		return lineOpen
	case strings.EqualFold(known, l.line.Digest):
		return lineAgrees
	default:
		return lineDiffers
	}
}

// conflict says that a list and the bytes of a disagree, nil when none does. Whether the list
// is signed does not matter: what a release says about itself must be true.
func (s *stand) conflict(a Asset) *Reason {
	first := map[string]listing{} // by list and algorithm
	for _, l := range s.listed[a.Name] {
		k := l.list.Asset + " " + l.line.Algorithm
		if twin, ok := first[k]; ok && twin.line.Digest != l.line.Digest {
			return because(CodeDigestConflict, "%s names it twice, with digests of two different files; write the list anew", l.list.Asset)
		}
		first[k] = l
	}
	for _, l := range s.listed[a.Name] {
		if l.compare(a) == lineDiffers {
			return because(CodeDigestMismatch, "%s says that its %s is %s, which is of other bytes than those downloaded; if the asset was replaced, write the list anew, if not, do not use it",
				l, strings.ToUpper(l.line.Algorithm), l.line.Digest)
		}
	}
	return nil
}

// checksum judges the requirement `checksum`: a list of the release names a with a digest
// that binds bytes. Lists and evidence need none.
func (s *stand) checksum(a Asset) proof {
	p := proof{require: RequireChecksum}
	if _, ok := ChecksumFile(a.Name); ok || a.Kind != "" {
		p.a.Kind = AttestationChecksum
		return p
	}
	weak, open := "", ""
	for _, l := range s.listed[a.Name] {
		switch l.compare(a) {
		case lineAgrees:
			p.a = Attestation{Kind: AttestationChecksum, Origin: OriginSidecar, Bundle: l.list.Asset, SHA256: l.list.SHA256}
			p.chain = []ChainLink{{Kind: AttestationChecksum, Name: l.list.Asset}}
			return p
		case lineWeak:
			weak = l.String()
		case lineOpen:
			open = l.String()
		}
	}
	switch {
	case open != "":
		p.problem = because(CodeNotReadable, "%s names it by a digest that was not computed here; list SHA-256 digests", open)
	case weak != "":
		p.problem = because(CodeDigestWeak, "%s names it only by a digest that does not bind bytes; list SHA-256 digests", weak)
	default:
		p.problem = s.unlisted()
	}
	return p
}

// unlisted says that no list names an asset.
func (s *stand) unlisted() *Reason {
	var names []string
	refused := ""
	for _, l := range s.lists {
		if l.Problem != nil {
			return &Reason{Code: l.Problem.Code, Message: l.Asset + ", which may name it: " + l.Problem.Message}
		}
		if of, _ := ChecksumFile(l.Asset); s.assets[of] {
			continue // the checksum of one other asset
		}
		names = append(names, l.Asset)
		if l.Refused > 0 {
			refused = fmt.Sprintf("; %d lines of %s were not read, because they name files with folders", l.Refused, l.Asset)
		}
	}
	if len(names) == 0 {
		return because(CodeChecksumMissing, "the release has no list of checksums that names it; add one, such as SHA256SUMS")
	}
	return because(CodeChecksumMissing, "%s does not name it%s; add it to the list", strings.Join(names[:min(3, len(names))], ", "), refused)
}

// lend looks for a list that names a and is signed as the rule asks: its signature stands for
// what it names. It proves a signature and never more, and lists are not followed to further
// lists.
func (s *stand) lend(a Asset, own proof) proof {
	unsigned := ""
	var refused *proof
	for _, l := range s.listed[a.Name] {
		list, ok := s.byName[l.list.Asset]
		if !ok || l.compare(a) != lineAgrees || unusable(list) != nil || !strings.EqualFold(list.SHA256, l.list.SHA256) {
			continue
		}
		p := s.direct(list, AssetRule{}, RequireSignature, s.candidates(list))
		p.list = list.Name
		if p.problem == nil {
			p.lent = true
			p.chain = append([]ChainLink{{Kind: AttestationChecksum, Name: list.Name}}, link(p.a))
			return p
		}
		if !p.tried {
			unsigned = list.Name
		} else if refused == nil {
			refused = &p
		}
	}
	switch {
	case refused != nil && bare(own):
		refused.problem = because(refused.problem.Code, "%s, which names it, does not prove it: %s", refused.a.For, refused.problem.Message)
		return *refused
	case unsigned != "" && own.problem.Code == CodeUnsigned:
		own.problem = because(CodeUnsigned, "it has no signature, and neither has %s, which names it; sign one of them", unsigned)
	}
	return own
}

// bare reports whether nothing was found that speaks of the asset itself.
func bare(p proof) bool {
	return !p.tried && (p.problem.Code == CodeUnsigned || p.problem.Code == CodeAssetUnproven || p.problem.Code == CodeNoneAcceptable)
}

// lendable reports whether a signed list may still prove what p did not: what stands beside
// the asset is not wrong, only somebody else's or missing.
func lendable(p proof) bool {
	switch p.problem.Code {
	case CodeUnsigned, CodeAssetUnproven, CodeNoneAcceptable, CodeSignerMismatch, CodeIssuerMismatch:
		return true
	}
	return p.problem.Unknown()
}

// link is how a chain shows an attestation.
func link(a Attestation) ChainLink {
	kind := a.Kind
	if a.Form != "" {
		kind = a.Form
	}
	return ChainLink{Kind: kind, Name: a.Bundle, Signer: a.Signer.Identity, Comment: a.Comment}
}
