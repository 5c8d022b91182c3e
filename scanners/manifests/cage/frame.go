package cage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
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
func getAnswer(body []byte, files int, take func(file int, m checks.Manifest) error) error {
	length := binary.LittleEndian.Uint32(body)
	body = body[4:]
	if uint64(length) > uint64(len(body)) {
		return errShort
	}
	r := &reader{numbers: body[:length], text: string(body[length:]), strict: true}
	if !utf8.ValidString(r.text) {
		return errText
	}
	return getInventory(r, files, take)
}

// putAnswer writes a frameAnswer.
func putAnswer(out io.Writer, w *writer) error {
	head := putHead(frameAnswer, 4+w.size())
	head = binary.LittleEndian.AppendUint32(head, uint32(len(w.numbers)))
	if _, err := out.Write(append(head, w.numbers...)); err != nil {
		return err
	}
	if len(w.text) == 0 {
		return nil
	}
	_, err := out.Write(w.text)
	return err
}

// putJob sends files to a child: the lengths of numbers and text, both, and the files' bytes.
func putJob(out io.Writer, w *writer, files []checks.File) error {
	w.reset()
	w.num(len(files))
	for i := range files {
		w.str(files[i].Path)
		w.str(files[i].Problem)
		w.num(len(files[i].Data))
	}
	first := binary.LittleEndian.AppendUint32(nil, uint32(len(w.numbers)))
	first = binary.LittleEndian.AppendUint32(first, uint32(len(w.text)))
	first = append(append(first, w.numbers...), w.text...)
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
func getJob(in io.Reader) ([]checks.File, error) {
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
	r := &reader{numbers: body[:numbers], text: string(body[numbers:])}
	files := make([]checks.File, r.count(maxInput))
	total := 0
	for i := range files {
		files[i] = checks.File{Path: r.str(), Problem: r.str()}
		n := r.num(maxInput - total)
		total += n
		files[i].Data = make([]byte, n)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	for i := range files {
		if _, err := io.ReadFull(in, files[i].Data); err != nil {
			return nil, fmt.Errorf("the data of a file: %w", err)
		}
	}
	return files, nil
}
