package osv

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"path/filepath"
	"slices"

	"github.com/landwaiter/landwaiter/store/crash"
)

// build is the content of one index file, ready to be written.
type build struct {
	batch
	meta       fileMeta
	order      []int32 // rows as the file has them
	overlay    bool
	base       uint64   // of an overlay: the id of its base
	superseded []uint32 // of an overlay: rows of the base, sorted
}

// copyFile adds the rows of f that keep accepts, with their entries.
func (b *build) copyFile(f *file, keep func(row int, r *storedRecord) bool) error {
	places := make([]int32, f.numRecords()) // row in f to row in b; -1 for those left out
	for i := range places {
		places[i] = -1
		r, err := f.record(i)
		if err != nil {
			return err
		}
		if !keep(i, &r) {
			continue
		}
		w := row{id: r.id, ecosystem: r.ecosystem, modified: r.modified.UnixMicro(), withdrawn: r.withdrawn, severity: uint8(r.severity), score: r.tenths, others: r.others}
		if w.vector, err = f.text(r.vector); err != nil {
			return err
		}
		if w.summary, err = f.text(r.summary); err != nil {
			return err
		}
		places[i] = int32(len(b.rows))
		b.rows = append(b.rows, w)
	}
	return b.copyEntries(f, places)
}

func (b *build) copyEntries(f *file, places []int32) error {
	for i := range f.numKeys() {
		k, err := f.key(i)
		if err != nil {
			return err
		}
		ecosystem := f.meta.Ecosystems[k.ecosystem].Name
		hash := hashKey(ecosystem, k.name)
		for c := k.entries; !c.done(); {
			at, body := c.number(), c.text()
			if c.bad || at >= len(places) {
				return fmt.Errorf("%w: an entry of %s", ErrCorrupt, k.name)
			}
			if places[at] >= 0 {
				b.entries = append(b.entries, keyed{hash: hash, ecosystem: ecosystem, name: k.name, body: body, row: places[at]})
			}
		}
	}
	return nil
}

// take moves what x holds.
func (b *build) take(x *batch) {
	first := int32(len(b.rows))
	b.rows = append(b.rows, x.rows...)
	b.entries = slices.Grow(b.entries, len(x.entries))
	for _, e := range x.entries {
		e.row += first
		b.entries = append(b.entries, e)
	}
	*x = batch{}
}

// sort puts rows and entries into the order of the file.
func (b *build) sort() {
	order := make([]int32, len(b.rows))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(b.rows[i].id, b.rows[j].id), cmp.Compare(b.rows[i].ecosystem, b.rows[j].ecosystem))
	})
	b.order = order
	places := make([]int32, len(order))
	for to, from := range order {
		places[from] = int32(to)
	}
	for i := range b.entries {
		b.entries[i].row = places[b.entries[i].row]
	}
	slices.SortFunc(b.entries, func(x, y keyed) int {
		return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.ecosystem, y.ecosystem),
			cmp.Compare(x.name, y.name), cmp.Compare(x.row, y.row), cmp.Compare(x.body, y.body))
	})
}

// write writes the file beside path, makes it durable and renames it to path. Until the
// rename nothing at path changes; a leftover of a crash is overwritten the next time.
func (b *build) write(path string) error {
	b.sort()
	beside := path + ".new"
	f, err := os.OpenFile(beside, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	err = b.writeTo(f)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(beside) // the reason it is unfinished says more
		return fmt.Errorf("writing %s: %w", beside, err)
	}
	crash.Before(crash.AdvisorySwap)
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	crash.After(crash.AdvisorySwap)
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}

// sections writes the body of a file and notes where each section begins.
type sections struct {
	w     *bufio.Writer
	crc   uint32
	size  int64
	spans [numSections][2]int64
	err   error
}

func (s *sections) write(section int, b []byte) {
	if s.err != nil {
		return
	}
	s.crc = crc32.Update(s.crc, castagnoli, b)
	s.size += int64(len(b))
	s.spans[section][1] += int64(len(b))
	_, s.err = s.w.Write(b)
}

func (s *sections) begin(section int) { s.spans[section][0] = s.size }

// words writes a section of 32-bit numbers.
func (s *sections) words(section int, words []uint32) {
	s.begin(section)
	var space [4096]byte
	for part := range slices.Chunk(words, len(space)/4) {
		b := space[:0]
		for _, w := range part {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
		s.write(section, b)
	}
}

func (b *build) writeTo(f *os.File) error {
	s := &sections{w: bufio.NewWriterSize(f, 1<<18), size: headerSize}
	_, s.err = s.w.Write(make([]byte, headerSize)) // written again at the end
	meta, err := json.Marshal(b.meta)
	if err != nil {
		return err
	}
	s.begin(secMeta)
	s.write(secMeta, meta)
	numbers := b.writeStrings(s)
	ecosystems := make(map[string]int)
	for i, e := range b.meta.Ecosystems {
		ecosystems[e.Name] = i
	}
	b.writeRecords(s, numbers, ecosystems)
	b.writeBlocks(s, ecosystems)
	s.words(secSuperseded, b.superseded)
	if s.err != nil {
		return s.err
	}
	if s.size > maxFileSize {
		return fmt.Errorf("it would have %d bytes, more than its offsets can tell", s.size)
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	_, err = f.WriteAt(b.header(s), 0)
	return err
}

func (b *build) header(s *sections) []byte {
	h := make([]byte, headerSize)
	put32, put64 := binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	copy(h, fileMagic)
	put32(h[8:], fileVersion)
	if b.overlay {
		put32(h[12:], 1)
	}
	put64(h[16:], uint64(s.size))
	put32(h[24:], s.crc)
	put64(h[32:], b.base)
	for i, span := range s.spans {
		put64(h[sectionsAt+16*i:], uint64(span[0]))
		put64(h[sectionsAt+16*i+8:], uint64(span[1]))
	}
	put32(h[headerSize-4:], crc32.Checksum(h[:headerSize-4], castagnoli))
	return h
}

// writeStrings writes every vector and summary once and returns their numbers.
func (b *build) writeStrings(s *sections) map[string]uint32 {
	numbers := map[string]uint32{"": 0}
	var ends []uint32
	var all []byte
	for _, i := range b.order {
		for _, t := range [...]string{b.rows[i].vector, b.rows[i].summary} {
			if _, ok := numbers[t]; !ok {
				all = append(all, t...)
				ends = append(ends, uint32(len(all)))
				numbers[t] = uint32(len(ends))
			}
		}
	}
	s.words(secStringEnds, ends)
	s.begin(secStrings)
	s.write(secStrings, all)
	return numbers
}

func (b *build) writeRecords(s *sections, numbers map[string]uint32, ecosystems map[string]int) {
	starts := make([]uint32, len(b.rows))
	var at uint32
	var buf []byte
	encode := func(r *row) {
		buf = appendNumber(appendText(buf[:0], r.id), ecosystems[r.ecosystem])
		flags := byte(0)
		if r.withdrawn {
			flags |= flagWithdrawn
		}
		buf = append(buf, flags, r.severity, r.score)
		buf = binary.LittleEndian.AppendUint64(buf, uint64(r.modified))
		buf = appendNumber(appendNumber(buf, int(numbers[r.vector])), int(numbers[r.summary]))
		buf = append(buf, r.others...)
	}
	for i, from := range b.order {
		encode(&b.rows[from])
		starts[i] = at
		at += uint32(len(buf))
	}
	s.words(secRecordStarts, starts)
	s.begin(secRecords)
	for _, from := range b.order {
		encode(&b.rows[from])
		s.write(secRecords, buf)
	}
}

// writeBlocks writes directory, keys and blocks. Blocks come last but are measured first.
func (b *build) writeBlocks(s *sections, ecosystems map[string]int) {
	count := 0
	for range b.packages {
		count++
	}
	keys := make([]uint32, 0, 2*count)
	dirBits := bits.Len(uint(count / 4))
	directory := make([]uint32, 1<<dirBits+1)
	var at uint32
	var buf, inner []byte
	encode := func(group []keyed) {
		inner = inner[:0]
		for i := range group {
			inner = appendText(appendNumber(inner, int(group[i].row)), group[i].body)
		}
		buf = appendText(appendNumber(buf[:0], ecosystems[group[0].ecosystem]), group[0].name)
		buf = append(appendNumber(buf, len(inner)), inner...)
	}
	for group := range b.packages {
		encode(group)
		keys = append(keys, uint32(group[0].hash), at)
		directory[group[0].hash>>(64-dirBits)+1]++
		at += uint32(len(buf))
	}
	for i := 1; i < len(directory); i++ {
		directory[i] += directory[i-1]
	}
	s.words(secDirectory, directory)
	s.words(secKeys, keys)
	s.begin(secBlocks)
	for group := range b.packages {
		encode(group)
		s.write(secBlocks, buf)
	}
}

// packages goes through the sorted entries package by package.
func (b *build) packages(yield func([]keyed) bool) {
	for start := 0; start < len(b.entries); {
		end := start + 1
		for end < len(b.entries) && b.entries[end].ecosystem == b.entries[start].ecosystem && b.entries[end].name == b.entries[start].name {
			end++
		}
		if !yield(b.entries[start:end]) {
			return
		}
		start = end
	}
}
