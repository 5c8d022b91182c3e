package expression

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// token is one token of an expression. Its kind is a word of the grammar itself ("(", "&&",
// "}}") or one of the kinds below.
type token struct {
	kind string
	text string // as written; of a text without its quotes
}

// The kinds of tokens that are not words of the grammar.
const (
	tokenName   = "name"
	tokenText   = "text"
	tokenNumber = "number"
)

// lexer takes an expression apart. pos is where the next token begins.
type lexer struct {
	s   string
	pos int
}

// signs are the words of the grammar, longer ones before those that they begin with.
var signs = []string{"}}", "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*"}

var errOpen = errors.New("is not closed by }}")

func (l *lexer) next() (token, error) {
	for l.pos < len(l.s) && strings.IndexByte(" \t\r\n", l.s[l.pos]) >= 0 {
		l.pos++
	}
	if l.pos >= len(l.s) {
		return token{}, errOpen
	}
	rest := l.s[l.pos:]
	switch c := rest[0]; {
	case c == '\'':
		return l.text()
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n]) || rest[n] == '-') {
			n++
		}
		l.pos += n
		return token{tokenName, rest[:n]}, nil
	case isDigit(c), c == '-', c == '+', c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number()
	}
	for _, sign := range signs {
		if strings.HasPrefix(rest, sign) {
			l.pos += len(sign)
			return token{kind: sign}, nil
		}
	}
	return token{}, fmt.Errorf("has a character %q where none may stand", []rune(rest[:min(len(rest), 4)])[0])
}

// text reads a text in single quotes, in which two of them stand for one.
func (l *lexer) text() (token, error) {
	start := l.pos + 1
	for i := start; i < len(l.s); i++ {
		if l.s[i] != '\'' {
			continue
		}
		if i+1 < len(l.s) && l.s[i+1] == '\'' {
			i++
			continue
		}
		l.pos = i + 1
		return token{tokenText, strings.ReplaceAll(l.s[start:i], "''", "'")}, nil
	}
	return token{}, errors.New("has a text without its closing quote")
}

// number reads a number: decimal, with an exponent, or hexadecimal.
func (l *lexer) number() (token, error) {
	n := 1
	for ; l.pos+n < len(l.s); n++ {
		c := l.s[l.pos+n]
		exponent := (c == '-' || c == '+') && strings.IndexByte("eE", l.s[l.pos+n-1]) >= 0
		if !isLetter(c) && !isDigit(c) && c != '.' && !exponent {
			break
		}
	}
	text := l.s[l.pos : l.pos+n]
	_, notDecimal := strconv.ParseFloat(text, 64)
	_, notWhole := strconv.ParseInt(text, 0, 64)
	if notDecimal != nil && notWhole != nil && !errors.Is(notDecimal, strconv.ErrRange) {
		return token{}, fmt.Errorf("has %q where a number may stand", short(text))
	}
	l.pos += n
	return token{tokenNumber, text}, nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
