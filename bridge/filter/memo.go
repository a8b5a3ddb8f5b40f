package filter

import (
	"slices"
	"strings"
)

// Memo memoizes which filters match which texts. Senders, routing keys and keywords recur with
// every reply, and a filter's cost lies in matching them against many patterns. Command ids are new
// with each command, so they are not memoized.
//
//	m.Look(reply) ──► m.Match(filter, number, mine)
//	                  m.Match(another, its number, mine) ...
//
// Each filter has a number in the memo, given by [Memo.Add]. A memo is for a single
// goroutine; filters may be shared.
type Memo struct {
	texts   [keptFields]map[string]*row
	kept    int   // number of rows
	words   int   // of all rows
	most    int   // bound of kept
	numbers int   // how many were given out
	retired []int // numbers of removed filters, whose bits are still in the rows
	free    []int // numbers that can be given out again
	work    int
	looks   uint64 // how often Look was called

	// The current reply, and its rows.
	reply    *Reply
	rows     [keyword]*row // nil until needed
	keywords []*row        // those of its keywords
	asked    bool          // keywords are set
}

// The memoized fields.
const (
	sender = iota
	routing
	commander
	keyword
	keptFields
)

// row is the memo of a text. It has two bits for each filter: whether it was evaluated, and its
// result. Those of 64 filters are in two adjacent words.
type row struct{ words []uint64 }

// Bounds of a memo's rows: the words of their bits, and their texts.
const (
	maxRowWords  = 2 << 20 // 16 MiB
	maxRowLength = 255
)

// NewMemo returns a memo for a number of texts. When it is full, it is emptied.
func NewMemo(texts int) *Memo { return &Memo{most: texts} }

// Add returns a number for a filter.
func (m *Memo) Add() (number int) {
	if last := len(m.free) - 1; last >= 0 {
		number, m.free = m.free[last], m.free[:last]
		return number
	}
	m.numbers++
	return m.numbers - 1
}

// Remove frees a filter's number.
func (m *Memo) Remove(number int) {
	const few = 256
	if m.retired = append(m.retired, number); len(m.retired) < few+m.numbers/2 {
		return
	}
	m.forget()
	m.rows, m.asked = [keyword]*row{}, false
	m.free, m.retired = append(m.free, m.retired...), nil
	if len(m.free) == m.numbers { // none is in use
		m.free, m.numbers = nil, 0
	}
}

// forget empties the memo. The current reply keeps its rows.
func (m *Memo) forget() { m.texts, m.kept, m.words = [keptFields]map[string]*row{}, 0, 0 }

// Work returns the cost of all matching so far: about one for each use of a memoized text, and one
// for each 32 bytes that a pattern had to read, or for each 4 bytes if it has ? or classes or
// matches a routing key.
func (m *Memo) Work() int { return m.work }

// Look makes a reply the current one. It must not change until the next Look.
func (m *Memo) Look(r *Reply) {
	m.reply, m.rows, m.asked = r, [keyword]*row{}, false
	m.looks++
	m.work++
}

// Match is [Filter.MatchMine] of the current reply, for the filter with this number.
func (m *Memo) Match(f *Filter, number int, mine bool) bool {
	m.work++
	return f.selects(m.reply, mine, m, number)
}

// header matches the text of a field. Plain names are not memoized: they are in a map.
func (m *Memo) header(field int, l *list, text string, number int) bool {
	if l == nil {
		return true
	}
	if m == nil || len(l.patterns) == 0 || len(text) > maxRowLength {
		return m.matched(l, text)
	}
	if m.rows[field] == nil {
		m.rows[field] = m.row(field, text)
	}
	return m.passes(m.rows[field], l, text, number)
}

// anyKeyword reports whether a list matches one of the current reply's keywords.
func (m *Memo) anyKeyword(l *list, keywords []string, number int) bool {
	if m == nil {
		return slices.ContainsFunc(keywords, l.has)
	}
	if !m.asked {
		m.asked, m.keywords = true, m.keywords[:0]
		for _, text := range keywords {
			m.keywords = append(m.keywords, m.row(keyword, text))
		}
	}
	for i, text := range keywords {
		if m.passes(m.keywords[i], l, text, number) {
			return true
		}
	}
	return false
}

// passes reports whether a list matches a text, and memoizes that in the text's row.
func (m *Memo) passes(r *row, l *list, text string, number int) bool {
	m.work++
	at, bit := 2*(number/64), uint64(1)<<(number%64)
	if at >= len(r.words) {
		more := make([]uint64, 2*((m.numbers+63)/64))
		m.words += len(more) - len(r.words)
		copy(more, r.words)
		r.words = more
	}
	if r.words[at]&bit == 0 {
		r.words[at] |= bit
		if m.matched(l, text) {
			r.words[at+1] |= bit
		}
	}
	return r.words[at+1]&bit != 0
}

// matched reports whether a list matches a text that is not memoized.
func (m *Memo) matched(l *list, text string) bool {
	if m != nil && l != nil {
		m.work += 1 + len(l.patterns)*(1+len(text)/32) + l.slow*len(text)/4
	}
	return l.has(text)
}

// row returns the row of a text.
func (m *Memo) row(field int, text string) *row {
	m.work++
	if r := m.texts[field][text]; r != nil {
		return r
	}
	r := &row{words: make([]uint64, 2*((m.numbers+63)/64))}
	if len(text) > maxRowLength {
		return r // for this reply only
	}
	if m.kept >= m.most || m.words > maxRowWords {
		m.forget()
	}
	if m.texts[field] == nil {
		m.texts[field] = map[string]*row{}
	}
	m.texts[field][strings.Clone(text)] = r
	m.kept++
	m.words += len(r.words)
	return r
}
