package site

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
	"github.com/clu-ws/clu-ws/internal/quote"
)

type tokenKind int

const (
	endToken   tokenKind = iota
	wordToken            // a keyword, and, or
	opToken              // a comparison
	valueToken           // a literal
	openToken
	closeToken
)

// token is a part of an expression's text.
type token struct {
	kind  tokenKind
	from  int    // offset
	word  string // as it is written
	value literal
}

// operators are the comparisons. Those of two characters come first.
var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

func isReserved(word string) bool { return word == "and" || word == "or" }

func isWordChar(r rune) bool {
	return r == '_' || r == '-' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// shown returns the current token as an error quotes it.
func (p *parser) shown() string {
	if p.kind == endToken {
		return "the end"
	}
	return quote.Text(p.word)
}

// next reads the next token.
func (p *parser) next() error {
	rest := strings.TrimLeft(p.text[p.at:], " \t\r\n")
	p.token = token{from: len(p.text) - len(rest)}
	p.at = p.from
	if rest == "" {
		return nil
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return p.take(opToken, len(op))
		}
	}
	first, _ := utf8.DecodeRuneInString(rest)
	switch {
	case first == '(':
		return p.take(openToken, 1)
	case first == ')':
		return p.take(closeToken, 1)
	case first == '"':
		return p.takeText(rest)
	case first == '\'':
		return p.fail(`write a text in double quotes, as in == "open"`)
	case first == '=':
		return p.fail(`"=" is not a comparison; write == for "is equal to"`)
	case first == '!' || first == '&' || first == '|':
		return p.fail(`%s is not understood; the words are "and" and "or", and "is not equal to" is !=`, quote.Text(string(first)))
	case first == '-' || first >= '0' && first <= '9':
		return p.takeNumber(rest)
	case isWordChar(first):
		return p.takeWord(rest)
	}
	return p.fail("%s is not understood; "+exprForm, quote.Text(string(first)))
}

func (p *parser) take(kind tokenKind, length int) error {
	p.kind, p.word = kind, p.text[p.from:p.from+length]
	p.at = p.from + length
	return nil
}

// takeWord takes a keyword, a word that joins tests, or true, false or null.
func (p *parser) takeWord(rest string) error {
	length := strings.IndexFunc(rest, func(r rune) bool { return !isWordChar(r) })
	if length < 0 {
		length = len(rest)
	}
	word := rest[:length]
	switch word {
	case "true", "false", "null":
		p.value = literal{raw: []byte(word)}
		return p.take(valueToken, length)
	case "not":
		return p.fail(`there is no "not"; compare with !=, or with the other value`)
	}
	return p.take(wordToken, length)
}

// takeNumber takes a number as JSON has it.
func (p *parser) takeNumber(rest string) error {
	length := strings.IndexFunc(rest, func(r rune) bool { return !isWordChar(r) && r != '+' })
	if length < 0 {
		length = len(rest)
	}
	number := []byte(rest[:length])
	if ok, _ := jsonscan.Valid(number); !ok || !isNumber(number) {
		return p.fail("%s is not a number; write it as 15, -2.5 or 1e-3", quote.Text(rest[:length]))
	}
	p.value = literal{raw: number}
	return p.take(valueToken, length)
}

// takeText takes a text in double quotes, with the escapes of JSON.
func (p *parser) takeText(rest string) error {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			if err := json.Unmarshal([]byte(rest[:i+1]), &p.value.text); err != nil {
				return p.fail("the text %s has an escape that JSON has not; write \\\\ for a backslash", quote.Text(rest[:i+1]))
			}
			return p.take(valueToken, i+1)
		}
	}
	return p.fail("the text that begins here has no end; close it with a double quote")
}
