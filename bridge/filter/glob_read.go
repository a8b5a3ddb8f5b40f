package filter

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// readGlob parses a glob. In its canonical form, each run of wildcards has its ? first and then
// at most one *, and there is a class only for a choice or a special character.
func readGlob(text string) (value, error) {
	var w globWriter
	for rest := text; rest != ""; {
		char, size := utf8.DecodeRuneInString(rest)
		switch char {
		case '*':
			w.star = true // written when the run ends
		case '?':
			w.add(token{kind: anyChar}, "?")
		case '[':
			c, length, err := readClass(rest)
			if err != nil {
				return value{}, err
			}
			w.addClass(c, rest[:length])
			size = length
		default:
			w.addChar(char)
		}
		rest = rest[size:]
	}
	w.endRun()
	v := value{spelling: w.spelling.String(), name: w.name.String()}
	if w.wild {
		v.pattern, v.all = compile(w.tokens), v.spelling == "*"
	}
	return v, nil
}

// globWriter collects the tokens and the canonical form of a glob.
type globWriter struct {
	tokens         []token
	spelling, name strings.Builder // the name is valid only without wildcards
	star           bool            // a * is still to be written
	wild           bool            // there is a wildcard
}

func (w *globWriter) endRun() {
	if w.star {
		w.star = false
		w.add(token{kind: anything}, "*")
	}
}

func (w *globWriter) add(t token, spelling string) {
	w.wild = w.wild || t.kind != oneChar
	w.tokens = append(w.tokens, t)
	w.spelling.WriteString(spelling)
}

func (w *globWriter) addChar(char rune) {
	w.endRun()
	w.name.WriteRune(char)
	spelling := string(char)
	if strings.ContainsRune("*?[", char) {
		spelling = "[" + spelling + "]"
	}
	w.add(token{kind: oneChar, char: char}, spelling)
}

// addClass adds a class. A class of a single character is added as that character.
func (w *globWriter) addClass(c class, spelling string) {
	if !c.not && len(c.ranges) == 1 && c.ranges[0].from == c.ranges[0].to {
		w.addChar(c.ranges[0].from)
		return
	}
	w.endRun()
	w.add(token{kind: inClass, class: c}, spelling)
}

// readClass parses the class at the beginning of a text, and returns its length.
func readClass(text string) (c class, length int, err error) {
	end := strings.IndexByte(text, ']')
	if end < 0 {
		return c, 0, errors.New("its [ has no ]; for the character [ itself write [[]")
	}
	inner, not := strings.CutPrefix(text[1:end], "^")
	c.not = not
	if inner == "" {
		return c, 0, fmt.Errorf("%s names no character; write some between the brackets, or [[] for the character [ itself", quote.Short(text[:end+1]))
	}
	for inner != "" {
		from, size := utf8.DecodeRuneInString(inner)
		inner = inner[size:]
		to := from
		if len(inner) > 1 && inner[0] == '-' {
			to, size = utf8.DecodeRuneInString(inner[1:])
			inner = inner[1+size:]
		}
		if to < from {
			return c, 0, fmt.Errorf("the range %c-%c runs backwards; write %c-%c", from, to, to, from)
		}
		c.ranges = append(c.ranges, runeRange{from, to})
	}
	return c, end + 1, nil
}
