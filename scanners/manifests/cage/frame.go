package cage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/checks/packed"
)

// What a child sends: a byte that says what, four bytes with the length, and so many bytes. It
// sends one frameReady, and for each job any number of frameReads and one frameAnswer.
const (
	frameReady  = 'r' // what does not hold of the cage, a text
	frameReads  = 'f' // the number of the file that it reads from now on, four bytes
	frameAnswer = 'a' // four bytes with the length of the numbers; the numbers; the text
)

const maxReady = 4 << 10 // bytes of a frameReady

var errFrame = errors.New("the message is of no known kind or too long")

// putHead writes the first five bytes of a frame.
func putHead(kind byte, length int) []byte {
	return binary.LittleEndian.AppendUint32([]byte{kind}, uint32(length))
}

// getFrame reads one frame of at most limit bytes.
func getFrame(in io.Reader, limit int) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	length := int(binary.LittleEndian.Uint32(head[1:]))
	switch kind = head[0]; {
	case kind == frameReady && length <= maxReady:
	case kind == frameReads && length == 4:
	case kind == frameAnswer && length >= 4 && length <= limit:
	default:
		return 0, nil, errFrame
	}
	body = make([]byte, length)
	_, err = io.ReadFull(in, body)
	return kind, body, err
}

// getReady returns what does not hold, line by line.
func getReady(body []byte) []string {
	if len(body) == 0 || !utf8.Valid(body) {
		return nil
	}
	return strings.Split(string(body), "\n")
}

// getAnswer reads the body of a frameAnswer of a job of so many files.
func getAnswer(body []byte, files int, take func(file int, m inventory.Manifest) error) error {
	length := binary.LittleEndian.Uint32(body)
	body = body[4:]
	if uint64(length) > uint64(len(body)) {
		return errFrame
	}
	return getInventory(packed.NewReader(body[:length], body[length:]), files, take)
}

// putAnswer writes a frameAnswer.
func putAnswer(out io.Writer, w *packed.Writer) error {
	head := putHead(frameAnswer, 4+w.Size())
	head = binary.LittleEndian.AppendUint32(head, uint32(len(w.Numbers)))
	if _, err := out.Write(append(head, w.Numbers...)); err != nil {
		return err
	}
	if len(w.Text) == 0 {
		return nil
	}
	_, err := out.Write(w.Text)
	return err
}

// putJob sends files to a child: the lengths of numbers and text, both, and the files' bytes.
func putJob(out io.Writer, w *packed.Writer, files []inventory.File) error {
	w.Reset()
	w.Num(len(files))
	for i := range files {
		w.Str(files[i].Path)
		w.Str(files[i].Problem)
		w.Str(files[i].Link)
		w.Num(len(files[i].Data))
	}
	first := binary.LittleEndian.AppendUint32(nil, uint32(len(w.Numbers)))
	first = binary.LittleEndian.AppendUint32(first, uint32(len(w.Text)))
	first = append(append(first, w.Numbers...), w.Text...)
	const gather = 64 << 10 // small files are sent together
	for i := range files {
		data := files[i].Data
		if len(first)+len(data) <= gather {
			first = append(first, data...)
			continue
		}
		if _, err := out.Write(first); err != nil {
			return err
		}
		first = first[:0]
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	if len(first) == 0 {
		return nil
	}
	_, err := out.Write(first)
	return err
}

// getJob reads what putJob sent. io.EOF means that there are no more jobs.
func getJob(in io.Reader) ([]inventory.File, error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	numbers := int(binary.LittleEndian.Uint32(head[:4]))
	text := int(binary.LittleEndian.Uint32(head[4:]))
	if numbers > maxInput || text > maxInput {
		return nil, errFrame
	}
	body := make([]byte, numbers+text)
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, err
	}
	r := &packed.Reader{Numbers: body[:numbers], Text: string(body[numbers:])}
	files := make([]inventory.File, r.Count(maxInput))
	total := 0
	for i := range files {
		files[i] = inventory.File{Path: r.Str(), Problem: r.Str(), Link: r.Str()}
		n := r.Num(maxInput - total)
		total += n
		files[i].Data = make([]byte, n)
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	for i := range files {
		if _, err := io.ReadFull(in, files[i].Data); err != nil {
			return nil, fmt.Errorf("the data of a file: %w", err)
		}
	}
	return files, nil
}
