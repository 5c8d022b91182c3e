package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/sums"
)

const (
	// maxEvidence bounds one piece of evidence, in bytes (THREATS V60).
	maxEvidence = 8 << 20
	// maxEvidenceSum bounds all sidecars of a release together, and all its attestations.
	// Evidence is the only thing of a release that is held in memory.
	maxEvidenceSum = 24 << 20
)

// sidecars returns the evidence that lies among the assets: bundles, and detached signatures
// joined with the certificate beside them. Lists of checksums go with their asset instead:
// they prove nothing until they are signed themselves.
func sidecars(assets []readAsset) []checks.Bundle {
	byName := map[string]readAsset{}
	for _, x := range assets {
		byName[x.Name] = x
	}
	var bundles []checks.Bundle
	for _, x := range assets {
		subject, kind, _ := checks.EvidenceFile(x.Name)
		_, beside := byName[subject]
		b := checks.Bundle{Name: x.Name, Origin: checks.OriginSidecar, Problem: x.unheld()}
		if beside {
			b.For = subject
		}
		switch {
		case kind == checks.EvidenceBundle:
			b.Data = x.data
		case (kind == checks.EvidenceOpenPGP || kind == checks.EvidenceMinisign) && beside:
			b.Signature = x.data
		case kind == checks.EvidenceSignature && beside:
			b.Signature = x.data
			b.Certificate = certificate(byName, subject)
		default:
			continue
		}
		bundles = append(bundles, b)
	}
	return bundles
}

// isEvidence reports whether the asset called name is evidence for another, and needs none
// itself: a bundle, or a file with the name of a signature beside what it would sign.
func isEvidence(name string, assets []readAsset) bool {
	subject, kind, ok := checks.EvidenceFile(name)
	return ok && (kind == checks.EvidenceBundle || slices.ContainsFunc(assets, func(x readAsset) bool { return x.Name == subject }))
}

// unheld says why the bytes of evidence are not at hand, nil when they are.
func (x readAsset) unheld() *checks.Reason {
	switch {
	case x.Problem != nil:
		return x.Problem
	case x.data == nil:
		return evidenceProblem(checks.CodeTooLarge, "it has %d bytes: at most %d are read of one file of evidence, and %d of all files of a release",
			x.Size, maxEvidence, maxEvidenceSum)
	}
	return nil
}

// certificate returns the certificate of a detached signature over subject, nil when there is
// none: then a key made the signature.
func certificate(byName map[string]readAsset, subject string) []byte {
	for _, suffix := range []string{".pem", ".crt", ".cert", ".cer"} {
		if x, ok := byName[subject+suffix]; ok {
			return x.data
		}
	}
	return nil
}

// statements returns what the envelopes in data sign, as far as they can be read. It decides
// only which digests are worth computing: verification reads data anew and strictly.
func statements(data []byte) [][]byte {
	var found [][]byte
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var e struct {
			Payload  string `json:"payload"`
			Envelope struct {
				Payload string `json:"payload"`
			} `json:"dsseEnvelope"`
			Message json.RawMessage `json:"messageSignature"`
		}
		if err := d.Decode(&e); err != nil {
			if !errors.Is(err, io.EOF) {
				found = append(found, data) // another shape: look at it as it is
			}
			return found
		}
		if e.Message != nil {
			found = append(found, bytes.ReplaceAll(e.Message, []byte("SHA2_512"), []byte("sha512")))
		}
		for _, text := range []string{e.Payload, e.Envelope.Payload} {
			text = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(text)
			if payload, err := base64.RawStdEncoding.DecodeString(text); err == nil && len(payload) > 0 {
				found = append(found, payload)
			}
		}
	}
}

// names512 reports whether evidence speaks of SHA-512 digests.
func names512(data []byte) bool {
	for _, s := range statements(data) {
		if bytes.Contains(s, []byte("sha512")) {
			return true
		}
	}
	return false
}

// digest512 reads assets a second time for their SHA-512 where an attestation that GitHub
// keeps names one beside their SHA-256. Such attestations are found by SHA-256, so there is
// no telling before the first reading; they are rare, and most assets are read once.
func (a *App) digest512(ctx context.Context, c *installation, listed []releaseAsset, read []readAsset, kept []checks.Bundle) error {
	var naming [][]byte
	for _, b := range kept {
		for _, s := range statements(b.Data) {
			if bytes.Contains(s, []byte("sha512")) {
				naming = append(naming, s)
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelDownloads)
	for i, x := range read {
		named := false
		for _, s := range naming {
			named = named || bytes.Contains(s, []byte(x.SHA256))
		}
		if !named || x.SHA256 == "" || x.SHA512 != "" {
			continue
		}
		group.Go(func() error {
			again, err := a.readAsset(ctx, c, listed[i], digesting{Wanted: sums.Wanted{SHA512: true}})
			if err == nil && again.Problem == nil && again.SHA256 != x.SHA256 {
				again.Problem = assetProblem(checks.CodeDigestMismatch, "it changed between two readings")
				again.SetSums(sums.Sums{})
			}
			if again.Problem == nil { // what the first reading made of the same bytes stays
				x.SHA512 = again.SHA512
				again.Asset = x.Asset
			}
			again.data = x.data
			read[i] = again
			return err
		})
	}
	return group.Wait()
}

// evidenceProblem is a Reason why evidence could not be read.
func evidenceProblem(code, format string, args ...any) *checks.Reason {
	return &checks.Reason{Rule: "release-evidence", Code: code, Message: fmt.Sprintf(format, args...)}
}

// budget is a number of bytes shared by several goroutines.
type budget struct {
	mu   sync.Mutex
	left int64
}

// take reports whether n bytes were left, and takes them.
func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}
