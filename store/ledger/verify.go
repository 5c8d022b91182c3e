package ledger

import "fmt"

// Verifier reads entries in order and compares what is stored for them with what the leaves
// give. Make one with NewVerifier.
type Verifier struct{ frontier *Frontier }

// NewVerifier returns a Verifier whose next entry is the one after the frontier; nil means the
// first. It takes the frontier as it is: a root that follows from it tells whether it is right.
func NewVerifier(f *Frontier) *Verifier {
	if f == nil {
		f = &Frontier{}
	}
	return &Verifier{frontier: f.copy()}
}

// Size returns the number of entries read.
func (v *Verifier) Size() int64 { return v.frontier.Size() }

// Root returns the root of the entries read.
func (v *Verifier) Root() (Hash, error) { return v.frontier.Root() }

// Next reads the entry with index Size(): its leaf, and the hashes stored from
// LeafIndex(Size()) on up to the next leaf's. Its error says which of them is wrong; the
// entry then counts as not read.
func (v *Verifier) Next(leaf []byte, stored []Hash) error {
	index := v.frontier.Size()
	if n := HashCount(index+1) - HashCount(index); int64(len(stored)) != n {
		return fmt.Errorf("%d hashes are stored for it, not %d", len(stored), n)
	}
	if LeafHash(leaf) != stored[0] {
		return fmt.Errorf("its bytes do not give its hash")
	}
	next := v.frontier.copy()
	want, err := next.Append(leaf)
	if err != nil {
		return err
	}
	for i, h := range want {
		if stored[i] != h {
			return fmt.Errorf("the hash stored for the subtree of height %d that it ends is wrong", i)
		}
	}
	v.frontier = next
	return nil
}

func (f *Frontier) copy() *Frontier {
	c := &Frontier{size: f.size, hashes: make(map[int64]Hash, len(f.hashes)+2)}
	for i, h := range f.hashes {
		c.hashes[i] = h
	}
	return c
}
