package configfile

import (
	"fmt"
	"strconv"
)

// Setting is a key of the file that is a flag.
type Setting struct {
	Name  string
	f     *File
	entry entry
}

// Line returns the line of the setting.
func (s Setting) Line() int { return s.entry.line }

// Unknown adds an error: the setting is not one of the known flags.
func (s Setting) Unknown(flags []string) {
	known := append([]string{accessSection, dialectsSection, siteSection}, flags...)
	guess := Similar(s.Name, known)
	if guess != "" {
		s.f.addKey(s.entry, guess, "there is no setting %s; %s may be meant", s.f.keyName(s.entry), guess)
		return
	}
	s.f.addKey(s.entry, guess, "there is no setting %s; the settings are the flags without their dashes, access, dialects and site", s.f.keyName(s.entry))
}

// Wrong adds an error about the setting's value.
func (s Setting) Wrong(err error) {
	n := s.entry.value
	if n.kind == listKind || n.kind == mapKind || n.line == 0 {
		s.f.errs = append(s.f.errs, s.f.errorAt(s.entry.line, s.entry.col, err))
		return
	}
	s.f.errs = append(s.f.errs, s.f.errorAt(n.line, n.col, err))
}

// Bool returns the value of a flag that is on or off. It adds an error to the file if it is
// something else.
func (s Setting) Bool() (text string, ok bool) {
	if !s.f.want(s.entry.value, boolKind, s.Name) {
		return "", false
	}
	return strconv.FormatBool(s.entry.value.value.(bool)), true
}

// Int returns an integer.
func (s Setting) Int() (text string, ok bool) {
	if !s.f.want(s.entry.value, intKind, s.Name) {
		return "", false
	}
	return fmt.Sprint(s.entry.value.value), true
}

// Text returns a text. A number is taken as it is written, such as 65536 or 0660. If null is a
// word with a meaning here, nullWord, it is a text, too.
func (s Setting) Text(nullWord bool) (text string, ok bool) {
	return s.text(s.entry.value, nullWord)
}

// Texts returns a list of texts. A single text is a list, too.
func (s Setting) Texts(nullWord bool) (texts []string, ok bool) {
	if s.entry.value.kind != listKind {
		text, ok := s.Text(nullWord)
		return []string{text}, ok
	}
	for _, item := range s.entry.value.items {
		text, ok := s.text(item, nullWord)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

func (s Setting) text(n *node, nullWord bool) (text string, ok bool) {
	switch {
	case n.kind == intKind, n.kind == floatKind, n.kind == nullKind && nullWord && n.literal == "null":
		return n.literal, true
	}
	return n.literal, s.f.want(n, textKind, s.Name)
}
