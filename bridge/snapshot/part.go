package snapshot

import (
	"slices"
	"strings"
)

// part is a text of some actors that stand side by side.
type part struct {
	sealed []byte
	buf    []byte
	texts  []text // parts of buf
	first  bool   // there is no comma in front
}

// text is an actor as it is written; nil when there is nothing of it to write.
type text struct {
	name string
	json []byte
}

// partSize is about the length of a part.
const partSize = 64 << 10

// hang puts what was written in its place: each part that has to change is made anew.
func (p *Painting) hang() {
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

// merged is a sorted list of texts with those of another one in their places.
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
func (p *Painting) make(parts []*part, texts []text) []*part {
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

func (p *Painting) part(texts []text, first bool) *part {
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
