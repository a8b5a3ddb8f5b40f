package site

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of an expression.
const (
	maxExpr  = 1000 // bytes
	maxTests = 32
	maxDepth = 16 // of parentheses
)

// exprError is what is wrong with an expression.
type exprError struct {
	Column int // from 1, in characters
	Reason string
}

func (e *exprError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

// exprForm shows how an expression is written.
const exprForm = `write KEYWORD, a comparison and a value, as in weather.is_safe == false`

// ParseExpr compiles an expression that is not part of a configuration.
func ParseExpr(text string) (*Expr, error) { return parseExpr(text) }

// parseExpr compiles an expression. Its error is an [*exprError].
func parseExpr(text string) (*Expr, error) {
	p := &parser{text: text}
	switch {
	case len(text) > maxExpr:
		return nil, &exprError{1, fmt.Sprintf("the expression has %d bytes; make several conditions of it, of at most %d each", len(text), maxExpr)}
	case !utf8.ValidString(text):
		return nil, &exprError{1, "the expression is not UTF-8 text"}
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	root, err := p.or()
	if err == nil && p.kind != endToken {
		if word := strings.ToLower(p.word); isReserved(word) {
			err = p.fail("%s is not understood here; write %s", p.shown(), word)
		} else {
			err = p.fail(`%s is not understood here; join tests by "and" or "or"`, p.shown())
		}
	}
	if err != nil {
		return nil, err
	}
	return &Expr{text: text, refs: p.refs, root: root}, nil
}

// parser reads an expression by recursive descent. The current token is ahead of it.
type parser struct {
	token
	text  string
	at    int // the offset after the current token
	refs  []string
	tests int
	depth int
}

// or is a list of and, joined by "or".
func (p *parser) or() (node, error) {
	parts, err := p.list("or", p.and)
	if len(parts) == 1 {
		return parts[0], err
	}
	return anyOf(parts), err
}

// and is a list of operands, joined by "and".
func (p *parser) and() (node, error) {
	parts, err := p.list("and", p.operand)
	if len(parts) == 1 {
		return parts[0], err
	}
	return allOf(parts), err
}

func (p *parser) list(word string, part func() (node, error)) (parts []node, err error) {
	for {
		n, err := part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
		if p.kind != wordToken || p.word != word {
			return parts, nil
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

// operand is a test, or an expression in parentheses.
func (p *parser) operand() (node, error) {
	if p.kind != openToken {
		return p.test()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("parentheses are nested more than %d deep; make several conditions of it", maxDepth)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.kind != closeToken {
		return nil, p.fail(`a ")" is missing here, before %s`, p.shown())
	}
	p.depth--
	return n, p.next()
}

// test is a keyword, an operator and a literal.
func (p *parser) test() (node, error) {
	if p.tests++; p.tests > maxTests {
		return nil, p.fail("there are more than %d tests; make several conditions of them", maxTests)
	}
	t := &test{}
	switch {
	case p.kind == valueToken:
		return nil, p.fail("a test begins with a keyword, not with a value; " + exprForm)
	case p.kind != wordToken || isReserved(p.word):
		return nil, p.fail("a keyword is missing here, before %s; "+exprForm, p.shown())
	}
	if err := checkKeyword(p.word); err != nil {
		return nil, p.fail("%s", err)
	}
	t.ref = p.ref(p.word)
	name := p.word
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.kind != opToken {
		return nil, p.fail("%s must be compared with a value by ==, !=, <, <=, > or >=; "+exprForm, name)
	}
	t.op = p.word
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.literalOf(t); err != nil {
		return nil, err
	}
	return t, p.next()
}

// literalOf reads the value of a test.
func (p *parser) literalOf(t *test) error {
	if p.kind == wordToken && !isReserved(p.word) {
		if meant := others[strings.ToLower(p.word)]; meant != "" { // in quotes, it would never be true
			return p.fail("%s is no value; write %s", p.shown(), meant)
		}
		return p.fail(`%s is no value: write a text in double quotes, as in == "open"`, p.shown())
	}
	if p.kind != valueToken {
		return p.fail("a value is missing here, before %s; "+exprForm, p.shown())
	}
	t.literal = p.value
	if t.op != "==" && t.op != "!=" && !isNumber(p.value.raw) {
		return p.fail("%s compares numbers, and %s is none; use == or !=", t.op, p.shown())
	}
	return nil
}

// others are how other languages write the values that are no numbers and no texts.
var others = map[string]string{
	"true": "true", "false": "false", "null": "null", "none": "null", "nil": "null",
	"yes": "true", "no": "false", "on": "true", "off": "false",
}

// ref returns the place of a keyword among those of the expression.
func (p *parser) ref(keyword string) int {
	if at := slices.Index(p.refs, keyword); at >= 0 {
		return at
	}
	p.refs = append(p.refs, keyword)
	return len(p.refs) - 1
}

// fail returns an error at the current token.
func (p *parser) fail(format string, args ...any) error {
	return p.failAt(p.from, format, args...)
}

func (p *parser) failAt(offset int, format string, args ...any) error {
	return &exprError{utf8.RuneCountInString(p.text[:offset]) + 1, fmt.Sprintf(format, args...)}
}

// maxKeyword bounds the name of a keyword, in bytes.
const maxKeyword = 255

// checkKeyword returns an error if a text cannot be a keyword, ACTOR.KEYWORD.
func checkKeyword(text string) error {
	quoted, _ := json.Marshal(text[:min(len(text), 60)])
	switch {
	case len(text) > maxKeyword:
		return fmt.Errorf("the keyword is longer than %d bytes", maxKeyword)
	case !strings.Contains(text, "."):
		return fmt.Errorf("%s names no actor; write ACTOR.KEYWORD, such as weather.is_safe", quoted)
	case strings.HasPrefix(text, "."), strings.HasSuffix(text, "."), strings.Contains(text, ".."):
		return fmt.Errorf("%s has an empty part; write ACTOR.KEYWORD, such as weather.is_safe", quoted)
	case strings.ContainsFunc(text, func(r rune) bool { return !isWordChar(r) }):
		return fmt.Errorf("%s has a character that no keyword has; write ACTOR.KEYWORD, such as weather.is_safe", quoted)
	}
	return nil
}
