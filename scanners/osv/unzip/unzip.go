// Package unzip reads zip files of very many small entries in little memory. It trusts
// nothing in them.
package unzip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"unsafe"

	"github.com/klauspost/compress/flate"
)

// File is an open zip file. archive/zip would keep 300 bytes of
// each of 220,000 entries and make four calls to the system for each; this keeps 40 and
// makes one. It knows what the OSV archives use: stored and deflated entries, and 64-bit
// sizes. A fuzz test compares it with archive/zip.
// (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 and 4.5.)
type File struct {
	f       *os.File
	size    int64
	Entries []Entry
}

// Entry is one file in the archive, as its directory tells.
type Entry struct {
	Name             string // in the archive; a view of its directory
	Packed, Unpacked uint64 // bytes, as announced
	at               int64  // of its local header
	crc              uint32
	method           uint16
}

const (
	methodStored   = 0
	methodDeflated = 8

	endSize       = 22
	maxComment    = 1<<16 - 1
	maxEntries    = 4 << 20
	maxDirectory  = 512 << 20 // bytes
	flagEncrypted = 1
)

// ErrFormat says that a zip file is damaged, or uses what this package does not read.
var ErrFormat = errors.New("zip: not as it should be")

// Open reads the directory of the zip file at path. A file that lacks its end has none.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	z := &File{f: f}
	if err := z.readDirectory(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return z, nil
}

// Close closes the file.
func (z *File) Close() error { return z.f.Close() }

func (z *File) readDirectory() error {
	info, err := z.f.Stat()
	if err != nil {
		return err
	}
	z.size = info.Size()
	count, size, at, err := z.findDirectory()
	if err != nil {
		return err
	}
	if count > maxEntries || size > maxDirectory {
		return fmt.Errorf("%w: %d entries in a directory of %d bytes", ErrFormat, count, size)
	}
	b := make([]byte, size)
	if _, err := z.f.ReadAt(b, at); err != nil {
		return fmt.Errorf("reading its directory: %w", err)
	}
	z.Entries = make([]Entry, 0, min(count, size/46))
	for len(b) > 0 {
		var e Entry
		if e, b, err = parseEntry(b); err != nil {
			return err
		}
		z.Entries = append(z.Entries, e)
	}
	if int64(len(z.Entries)) != count {
		return fmt.Errorf("%w: %d entries instead of %d", ErrFormat, len(z.Entries), count)
	}
	return nil
}

// findDirectory reads the end of the file, where the directory is told of.
func (z *File) findDirectory() (count, size, at int64, err error) {
	tail := make([]byte, min(z.size, endSize+maxComment))
	if _, err := z.f.ReadAt(tail, z.size-int64(len(tail))); err != nil {
		return 0, 0, 0, err
	}
	i := len(tail) - endSize
	for ; i >= 0; i-- {
		if string(tail[i:i+4]) == "PK\x05\x06" && i+endSize+int(binary.LittleEndian.Uint16(tail[i+20:])) == len(tail) {
			break
		}
	}
	if i < 0 {
		return 0, 0, 0, fmt.Errorf("%w: its end is missing", ErrFormat)
	}
	end := z.size - int64(len(tail)) + int64(i)
	count = int64(binary.LittleEndian.Uint16(tail[i+10:]))
	size = int64(binary.LittleEndian.Uint32(tail[i+12:]))
	at = int64(binary.LittleEndian.Uint32(tail[i+16:]))
	if count == 1<<16-1 || size == 1<<32-1 || at == 1<<32-1 {
		if count, size, at, err = z.findDirectory64(end); err != nil {
			return 0, 0, 0, err
		}
	}
	if count < 0 || size < 0 || at < 0 || size > end || at > end-size {
		return 0, 0, 0, fmt.Errorf("%w: its directory lies outside", ErrFormat)
	}
	return count, size, at, nil
}

// findDirectory64 follows the locator that lies before the end of files with many entries.
func (z *File) findDirectory64(end int64) (count, size, at int64, err error) {
	var locator [20]byte
	if end < 20 {
		return 0, 0, 0, fmt.Errorf("%w: no 64-bit locator", ErrFormat)
	}
	if _, err := z.f.ReadAt(locator[:], end-20); err != nil || string(locator[:4]) != "PK\x06\x07" {
		return 0, 0, 0, fmt.Errorf("%w: no 64-bit locator", ErrFormat)
	}
	var record [56]byte
	where := binary.LittleEndian.Uint64(locator[8:])
	if where > uint64(end) {
		return 0, 0, 0, fmt.Errorf("%w: its 64-bit end lies outside", ErrFormat)
	}
	if _, err := z.f.ReadAt(record[:], int64(where)); err != nil || string(record[:4]) != "PK\x06\x06" {
		return 0, 0, 0, fmt.Errorf("%w: no 64-bit end", ErrFormat)
	}
	u64 := binary.LittleEndian.Uint64
	return int64(u64(record[32:])), int64(u64(record[40:])), int64(u64(record[48:])), nil
}

// parseEntry reads one entry of the directory b and returns what follows it.
func parseEntry(b []byte) (Entry, []byte, error) {
	if len(b) < 46 || string(b[:4]) != "PK\x01\x02" {
		return Entry{}, nil, fmt.Errorf("%w: an entry of its directory", ErrFormat)
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	e := Entry{
		method: u16(b[10:]), crc: u32(b[16:]), Packed: uint64(u32(b[20:])), Unpacked: uint64(u32(b[24:])), at: int64(u32(b[42:])),
	}
	if u16(b[8:])&flagEncrypted != 0 {
		e.method = 1<<16 - 1 // no method that is known
	}
	name, extra, comment := int(u16(b[28:])), int(u16(b[30:])), int(u16(b[32:]))
	if len(b) < 46+name+extra+comment {
		return Entry{}, nil, fmt.Errorf("%w: an entry of its directory", ErrFormat)
	}
	e.Name = view(b[46 : 46+name])
	e.read64(b[46+name : 46+name+extra])
	if e.at < 0 {
		return Entry{}, nil, fmt.Errorf("%w: an entry lies outside", ErrFormat)
	}
	return e, b[46+name+extra+comment:], nil
}

// read64 takes from the extra fields what did not fit into 32 bits.
func (e *Entry) read64(extra []byte) {
	for len(extra) >= 4 {
		kind, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			return
		}
		field := extra[:n]
		extra = extra[n:]
		if kind != 1 {
			continue
		}
		next := func(v *uint64) {
			if *v == 1<<32-1 && len(field) >= 8 {
				*v, field = binary.LittleEndian.Uint64(field), field[8:]
			}
		}
		at := uint64(e.at)
		next(&e.Unpacked)
		next(&e.Packed)
		next(&at)
		e.at = int64(at)
	}
}

// Reader unpacks entries. It keeps its memory from entry to entry.
type Reader struct {
	packed, unpacked []byte
	input            bytes.Reader
	inflater         io.ReadCloser
}

// Read returns the content of e, which is as long as announced and bears the right
// checksum. It is a view that the next call overwrites. The caller has checked the sizes.
func (u *Reader) Read(z *File, e *Entry) (string, error) {
	data, err := u.readPacked(z, e)
	if err != nil {
		return "", err
	}
	b := data
	switch e.method {
	case methodStored:
		if e.Packed != e.Unpacked {
			return "", fmt.Errorf("%w: %q", ErrFormat, e.Name)
		}
	case methodDeflated:
		if b, err = u.inflate(data, int(e.Unpacked)); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("%w: method of %q", ErrFormat, e.Name)
	}
	if crc32.ChecksumIEEE(b) != e.crc {
		return "", fmt.Errorf("%w: checksum of %q", ErrFormat, e.Name)
	}
	return view(b), nil
}

// readPacked reads the local header and what follows it in one go.
func (u *Reader) readPacked(z *File, e *Entry) ([]byte, error) {
	const header, slack = 30, 64 // the local extra field may be longer than the directory's
	if e.Packed > uint64(z.size) || e.at > z.size-header {
		return nil, fmt.Errorf("%w: %q lies outside", ErrFormat, e.Name)
	}
	want := min(int64(header+len(e.Name)+slack)+int64(e.Packed), z.size-e.at)
	b, err := u.readAt(z, e.at, want)
	if err != nil {
		return nil, err
	}
	if string(b[:4]) != "PK\x03\x04" {
		return nil, fmt.Errorf("%w: header of %q", ErrFormat, e.Name)
	}
	start := int64(header) + int64(binary.LittleEndian.Uint16(b[26:])) + int64(binary.LittleEndian.Uint16(b[28:]))
	end := start + int64(e.Packed)
	if end > z.size-e.at {
		return nil, fmt.Errorf("%w: %q lies outside", ErrFormat, e.Name)
	}
	if end > int64(len(b)) {
		if b, err = u.readAt(z, e.at, end); err != nil {
			return nil, err
		}
	}
	return b[start:end], nil
}

func (u *Reader) readAt(z *File, at, n int64) ([]byte, error) {
	if int64(cap(u.packed)) < n {
		u.packed = make([]byte, n+n/4)
	}
	b := u.packed[:n]
	_, err := z.f.ReadAt(b, at)
	return b, err
}

func (u *Reader) inflate(data []byte, size int) ([]byte, error) {
	if cap(u.unpacked) < size+1 {
		u.unpacked = make([]byte, size+size/4+1)
	}
	u.input.Reset(data)
	if u.inflater == nil {
		u.inflater = flate.NewReader(strings.NewReader(""))
	}
	if err := u.inflater.(flate.Resetter).Reset(&u.input, nil); err != nil {
		return nil, err
	}
	// One byte more than announced, to see that there is no more.
	n, err := io.ReadFull(u.inflater, u.unpacked[:size+1])
	if err != io.ErrUnexpectedEOF && (err != io.EOF || size != 0) || n != size {
		return nil, fmt.Errorf("%w: size of an entry", errors.Join(ErrFormat, err))
	}
	return u.unpacked[:size], nil
}

// view returns b as a string without copying it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
