package osv

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"sort"
	"sync/atomic"
	"time"
	"unsafe"
)

// An index file is immutable. Little-endian, offsets from its start:
//
//	header       magic, version, kind, size, checksums, one (offset, length) per section
//	meta         JSON: what is known of each ecosystem
//	strings      summaries and vectors, each once, behind a table of their ends
//	records      one row per (id, ecosystem), sorted so, behind a table of their starts
//	directory    for the first bits of a hash, where its keys begin
//	keys         hash and block of each package, sorted by hash
//	blocks       of each package: its key, then one entry per record about it
//	superseded   in an overlay: rows of the base that it replaces
//
// A base holds everything. An overlay holds what changed since one base, which it names by
// its checksum: beside any other base it counts for nothing. Reads are checked against the
// bounds of their section, whatever the bytes are.
const (
	fileMagic   = "LWADVIDX"
	fileVersion = 2 // another version is refused; the operator updates again

	headerSize  = 256
	sectionsAt  = 64
	numSections = 9
	maxFileSize = 1<<32 - 1 // offsets are 32 bits wide
)

// The sections of a file, in their order.
const (
	secMeta = iota
	secStringEnds
	secStrings
	secRecordStarts
	secRecords
	secDirectory
	secKeys
	secBlocks
	secSuperseded
)

// fileMeta is what a file knows of its ecosystems. A row and a key name an ecosystem by
// its place in the list.
type fileMeta struct {
	Ecosystems []ecosystemMeta
}

// ecosystemMeta is the state of one ecosystem. Times are UTC.
type ecosystemMeta struct {
	Name      string
	Records   int // rows, withdrawn ones included
	Withdrawn int
	Newest    time.Time // newest modification of a record: the watermark of Update
	Fetched   time.Time
	Source    string
}

// file is one open index file. It is unmapped when the last of its users releases it.
type file struct {
	path       string
	data       string // the whole file
	unmap      func() error
	info       os.FileInfo
	sections   [numSections]string
	meta       fileMeta
	id         uint64 // its checksums, which an overlay names
	base       uint64 // in an overlay: the id of its base
	overlay    bool
	dirBits    int
	users      atomic.Int64
	ecosystems map[string]int
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openFile maps and checks the file at path. Damage gives ErrCorrupt.
func openFile(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < headerSize || info.Size() > maxFileSize {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrCorrupt, path, info.Size())
	}
	data, unmap, err := mapFile(f, int(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	x, err := readFile(unsafe.String(unsafe.SliceData(data), len(data)))
	if err != nil {
		_ = unmap() // the reason above says more
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, path, err)
	}
	x.path, x.unmap, x.info = path, unmap, info
	x.users.Store(1)
	return x, nil
}

// readFile checks the bytes of an index file: sizes, both checksums, the bounds of every
// section and the meta section. What lies inside the others is checked when it is read.
func readFile(data string) (*file, error) {
	if len(data) < headerSize || data[:8] != fileMagic {
		return nil, fmt.Errorf("it is no advisory index")
	}
	h := []byte(data[:headerSize])
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	if v := u32(h[8:]); v != fileVersion {
		return nil, fmt.Errorf("it has format %d, not %d; update the advisories again", v, fileVersion)
	}
	if crc32.Checksum(h[:headerSize-4], castagnoli) != u32(h[headerSize-4:]) {
		return nil, fmt.Errorf("the checksum of its header is wrong")
	}
	if size := u64(h[16:]); size != uint64(len(data)) {
		return nil, fmt.Errorf("it has %d bytes instead of %d", len(data), size)
	}
	if checksum(data[headerSize:]) != u32(h[24:]) {
		return nil, fmt.Errorf("its checksum is wrong")
	}
	x := &file{data: data, overlay: u32(h[12:]) == 1, base: u64(h[32:])}
	x.id = uint64(u32(h[24:]))<<32 | uint64(u32(h[headerSize-4:]))
	return x, x.cut(h)
}

// cut finds the sections that the header h names, and reads meta.
func (x *file) cut(h []byte) error {
	for i := range x.sections {
		at := binary.LittleEndian.Uint64(h[sectionsAt+16*i:])
		n := binary.LittleEndian.Uint64(h[sectionsAt+16*i+8:])
		if at < headerSize || at > uint64(len(x.data)) || n > uint64(len(x.data))-at {
			return fmt.Errorf("section %d lies outside the file", i)
		}
		x.sections[i] = x.data[at : at+n]
	}
	if err := json.Unmarshal([]byte(x.sections[secMeta]), &x.meta); err != nil {
		return fmt.Errorf("reading its meta section: %w", err)
	}
	x.ecosystems = make(map[string]int, len(x.meta.Ecosystems))
	for i, e := range x.meta.Ecosystems {
		x.ecosystems[e.Name] = i
	}
	slots := len(x.sections[secDirectory])/4 - 1
	if slots < 1 || slots&(slots-1) != 0 {
		return fmt.Errorf("its directory has %d slots", slots)
	}
	x.dirBits = bits.TrailingZeros(uint(slots))
	return nil
}

// checksum is crc32c over a string without copying it.
func checksum(s string) uint32 {
	return crc32.Checksum(unsafe.Slice(unsafe.StringData(s), len(s)), castagnoli)
}

// release ends one use; the last one unmaps the file. Strings read from it die with it. The last
// user may be a scan, which does not wait for that.
func (x *file) release() {
	if x.users.Add(-1) == 0 && x.unmap != nil {
		go func() { _ = x.unmap() }() // nothing can be done, and nobody reads it any more
	}
}

// word returns the i-th 32-bit number of a section.
func (x *file) word(section, i int) (uint32, error) {
	s := x.sections[section]
	if i < 0 || i > len(s)/4-1 {
		return 0, fmt.Errorf("%w: entry %d of section %d", ErrCorrupt, i, section)
	}
	s = s[4*i:]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24, nil
}

// numRecords is the number of rows.
func (x *file) numRecords() int { return len(x.sections[secRecordStarts]) / 4 }

// numKeys is the number of packages.
func (x *file) numKeys() int { return len(x.sections[secKeys]) / 8 }

// text returns the i-th string; the first one is number 1, and number 0 is "".
func (x *file) text(i int) (string, error) {
	if i == 0 {
		return "", nil
	}
	var start uint32
	if i > 1 {
		var err error
		if start, err = x.word(secStringEnds, i-2); err != nil {
			return "", err
		}
	}
	end, err := x.word(secStringEnds, i-1)
	if err != nil {
		return "", err
	}
	if s := x.sections[secStrings]; start <= end && int(end) <= len(s) {
		return s[start:end], nil
	}
	return "", fmt.Errorf("%w: string %d", ErrCorrupt, i)
}

// hashKey is the hash of a package: FNV-1a over ecosystem, a zero byte and name, mixed
// once more because the directory takes its first bits.
func hashKey(ecosystem, name string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range len(ecosystem) {
		h = (h ^ uint64(ecosystem[i])) * prime
	}
	h *= prime
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * prime
	}
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// block returns the entries about a package, an empty cursor when there are none.
func (x *file) block(ecosystem, name string, hash uint64) (cursor, error) {
	slot := int(hash >> (64 - x.dirBits))
	from, err := x.word(secDirectory, slot)
	if err != nil {
		return cursor{}, err
	}
	to, err := x.word(secDirectory, slot+1)
	if err != nil {
		return cursor{}, err
	}
	for i := int(from); i < int(to); i++ {
		h, err := x.word(secKeys, 2*i)
		if err != nil {
			return cursor{}, err
		}
		if h != uint32(hash) {
			continue
		}
		k, err := x.key(i)
		if err != nil {
			return cursor{}, err
		}
		if k.name == name && x.meta.Ecosystems[k.ecosystem].Name == ecosystem {
			return k.entries, nil
		}
	}
	return cursor{}, nil
}

// packageBlock is one block: a package and the entries about it.
type packageBlock struct {
	ecosystem int // in meta
	name      string
	entries   cursor
}

// key returns the i-th package and its entries.
func (x *file) key(i int) (packageBlock, error) {
	at, err := x.word(secKeys, 2*i+1)
	if err != nil {
		return packageBlock{}, err
	}
	blocks := x.sections[secBlocks]
	if int(at) > len(blocks) {
		return packageBlock{}, fmt.Errorf("%w: block of package %d", ErrCorrupt, i)
	}
	c := cursor{s: blocks[at:]}
	b := packageBlock{ecosystem: c.number(), name: c.text()}
	b.entries = cursor{s: c.text()}
	if c.bad || b.ecosystem >= len(x.meta.Ecosystems) {
		return packageBlock{}, fmt.Errorf("%w: block of package %d", ErrCorrupt, i)
	}
	return b, nil
}

// find returns the place of a row, or false. Rows are sorted by id, then ecosystem name.
func (x *file) find(id, ecosystem string) (int, bool) {
	n := x.numRecords()
	i := sort.Search(n, func(i int) bool {
		r, err := x.record(i)
		if err != nil || r.id != id {
			return err == nil && r.id > id
		}
		return r.ecosystem >= ecosystem
	})
	if i == n {
		return 0, false
	}
	r, err := x.record(i)
	return i, err == nil && r.id == id && (ecosystem == "" || r.ecosystem == ecosystem)
}
