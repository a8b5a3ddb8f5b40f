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

// text is an encoded actor. json is nil if there is nothing to write.
type text struct {
	name string
	json []byte
}

// partSize is about the length of a part.
const partSize = 64 << 10

// splicing is the state of merging the written actors into the parts. Each part that changes is
// made again.
type splicing struct {
	news  []text  // sorted; those that have no place yet
	old   int     // the next of the encoder's parts
	texts []text  // those of the parts to make next
	parts []*part // as they will be
}

// splice merges the written actors into the parts, until enough returns true.
func (p *Encoder) splice(enough func(bytes int) bool) (done bool) {
	if p.splicing == nil {
		slices.SortFunc(p.written, func(a, b text) int { return strings.Compare(a.name, b.name) })
		p.splicing = &splicing{news: p.written, parts: make([]*part, 0, len(p.parts)+1)}
	}
	h := p.splicing
	for {
		switch {
		case len(h.texts) > 0:
			if enough(p.make(h)) {
				return false
			}
		case h.old < len(p.parts):
			h.take(p.parts, h.old)
			h.old++
		case len(h.news) > 0:
			h.texts, h.news = merged(nil, h.news), nil
		default:
			if len(h.parts) > 0 && !h.parts[0].first {
				h.parts[0] = p.part(h.parts[0].texts, true)
			}
			p.parts, p.splicing = h.parts, nil
			return true
		}
	}
}

// take takes an old part, with the new texts that belong there.
func (h *splicing) take(parts []*part, at int) {
	end := len(h.news)
	if at+1 < len(parts) {
		end, _ = slices.BinarySearchFunc(h.news, parts[at+1].texts[0].name, func(t text, name string) int { return strings.Compare(t.name, name) })
	}
	if end == 0 {
		h.parts = append(h.parts, parts[at])
		return
	}
	h.texts, h.news = merged(parts[at].texts, h.news[:end]), h.news[end:]
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

// make adds a part, and returns its length.
func (p *Encoder) make(h *splicing) int {
	n, size := 0, 0
	for n < len(h.texts) && (n == 0 || size+len(h.texts[n].json) <= partSize) {
		size += len(h.texts[n].json)
		n++
	}
	h.parts = append(h.parts, p.part(h.texts[:n], len(h.parts) == 0))
	h.texts = h.texts[n:]
	return size
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
