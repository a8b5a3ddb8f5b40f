package snapshot

import (
	"slices"
	"strings"
)

// part is the text of some adjacent actors.
type part struct {
	sealed []byte
	buf    []byte
	texts  []text // parts of buf
	first  bool   // without a comma in front
}

// text is an encoded actor; nil if there is nothing to write.
type text struct {
	name string
	json []byte
}

// partSize is about the length of a part.
const partSize = 64 << 10

// splice merges the written actors into the parts: each part that changes is made anew.
func (p *Encoder) splice() {
	slices.SortFunc(p.written, func(a, b text) int { return strings.Compare(a.name, b.name) })
	news := p.written
	parts := make([]*part, 0, len(p.parts)+1)
	for i, old := range p.parts {
		end := len(news)
		if i+1 < len(p.parts) {
			end, _ = slices.BinarySearchFunc(news, p.parts[i+1].texts[0].name, func(t text, name string) int { return strings.Compare(t.name, name) })
		}
		if end == 0 {
			parts = append(parts, old)
			continue
		}
		parts = p.make(parts, merged(old.texts, news[:end]))
		news = news[end:]
	}
	parts = p.make(parts, merged(nil, news))
	if len(parts) > 0 && !parts[0].first {
		parts[0] = p.part(parts[0].texts, true)
	}
	p.parts = parts
}

// merged merges two sorted lists of texts; those of the second replace those of the
// first.
func merged(old, news []text) []text {
	all := make([]text, 0, len(old)+len(news))
	for len(old)+len(news) > 0 {
		order := -1
		if len(old) == 0 {
			order = 1
		} else if len(news) > 0 {
			order = strings.Compare(old[0].name, news[0].name)
		}
		if order < 0 {
			all, old = append(all, old[0]), old[1:]
			continue
		}
		if news[0].json != nil {
			all = append(all, news[0])
		}
		if news = news[1:]; order == 0 {
			old = old[1:]
		}
	}
	return all
}

// make adds parts of texts.
func (p *Encoder) make(parts []*part, texts []text) []*part {
	for len(texts) > 0 {
		n, size := 0, 0
		for n < len(texts) && (n == 0 || size+len(texts[n].json) <= partSize) {
			size += len(texts[n].json)
			n++
		}
		parts = append(parts, p.part(texts[:n], len(parts) == 0))
		texts = texts[n:]
	}
	return parts
}

func (p *Encoder) part(texts []text, first bool) *part {
	size := p.room
	for _, t := range texts {
		size += len(", ") + len(t.json)
	}
	made := &part{buf: make([]byte, p.room, size), texts: make([]text, len(texts)), first: first}
	for i, t := range texts {
		if i > 0 || !first {
			made.buf = append(made.buf, ", "...)
		}
		from := len(made.buf)
		made.buf = append(made.buf, t.json...)
		made.texts[i] = text{t.name, made.buf[from:len(made.buf):len(made.buf)]}
	}
	made.sealed = p.seal(made.buf)
	return made
}
