package snapshot

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Append writes the last values behind dst, sorted by name:
//
//	{"mount": {"time": "2026-11-21T03:38:40.123456+00:00", "code": ":", "seq": 17, "keywords": {
//	  "ra": {"value": 1.5, "time": "2026-11-21T03:38:39.000000+00:00", "code": "i", "seq": 12}}}}
//
// The actor's time, code and seq are those of its last reply, whatever it held.
// "evicted": 3 stands before an actor's keywords if that many were forgotten for
// want of room. A keyword whose last value is too large has "too_large": 70000,
// its bytes, in place of the value; one that came by an internal reply ends
// with "internal": true.
//
// Written is what keep lets through, and actors of whom it lets nothing
// through are left out. If keep is nil, everything is written.
//
// Without keep, what was written of an actor is kept and written again as long as
// the actor says nothing, and is forgotten when it does.
func (s *Store) Append(dst []byte, keep func(Entry) bool) []byte {
	dst = append(dst, '{')
	first := true
	var keywords []*keyword
	for _, name := range slices.Sorted(maps.Keys(s.actors)) {
		a := s.actors[name]
		if keep != nil {
			if keywords = a.kept(keywords[:0], keep); len(keywords) == 0 {
				continue
			}
		}
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		if keep != nil {
			dst = a.append(dst, keywords)
			continue
		}
		if a.text == nil {
			from := len(dst)
			keywords = a.kept(keywords[:0], nil)
			dst = a.append(dst, keywords)
			s.keepText(a, dst[from:])
			continue
		}
		dst = append(dst, a.text...)
	}
	return append(dst, '}')
}

// keepText keeps what was written of an actor, while all that is kept so costs no
// more than what it was written of may cost.
func (s *Store) keepText(a *actor, text []byte) {
	if s.texts+len(text) <= s.limits.Bytes {
		a.text = slices.Clone(text)
		s.texts += len(text)
	}
}

// dropText forgets what was written of an actor: it is not true any more.
func (s *Store) dropText(a *actor) {
	s.texts -= len(a.text)
	a.text = nil
}

// kept gives the actor's keywords that keep lets through, by name, and of one
// that it has of both kinds the newer one.
func (a *actor) kept(dst []*keyword, keep func(Entry) bool) []*keyword {
	if a.byName == nil {
		a.byName = make([]*keyword, 0, a.order.Len())
		for e := a.order.Front(); e != nil; e = e.Next() {
			a.byName = append(a.byName, e.Value.(*keyword))
		}
		slices.SortFunc(a.byName, func(k, l *keyword) int { return cmp.Compare(k.name, l.name) })
	}
	for _, k := range a.byName {
		if keep != nil && !keep(k.entry()) {
			continue
		}
		switch last := len(dst) - 1; {
		case last < 0 || dst[last].name != k.name:
			dst = append(dst, k)
		case dst[last].from.order < k.from.order:
			dst[last] = k
		}
	}
	return dst
}

func (k *keyword) entry() Entry {
	e := k.from.Entry
	e.Keyword = k.name
	return e
}

// append writes an actor with some of its keywords.
func (a *actor) append(dst []byte, keywords []*keyword) []byte {
	dst = appendString(dst, a.name)
	dst = append(dst, ": {"...)
	dst = a.last.append(dst)
	dst = a.appendEvicted(dst)
	dst = append(dst, `, "keywords": {`...)
	var written *source // whose text is dst[from:to]
	var from, to int
	for i, k := range keywords {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendString(dst, k.name)
		dst = append(dst, ": {"...)
		dst = k.appendValue(dst)
		// Neighbours often came by one reply: its text is copied.
		if k.from == written {
			dst = append(dst, dst[from:to]...)
		} else {
			written, from = k.from, len(dst)
			dst = k.from.append(dst)
			to = len(dst)
		}
		if k.from.Internal {
			dst = append(dst, `, "internal": true`...)
		}
		dst = append(dst, '}')
	}
	return append(dst, "}}"...)
}

func (k *keyword) appendValue(dst []byte) []byte {
	if k.tooLarge > 0 {
		dst = append(dst, `"too_large": `...)
		dst = strconv.AppendInt(dst, int64(k.tooLarge), 10)
	} else {
		dst = append(dst, `"value": `...)
		dst = append(dst, k.value...)
	}
	return append(dst, ", "...)
}

func (a *actor) appendEvicted(dst []byte) []byte {
	if a.evicted == 0 {
		return dst
	}
	dst = append(dst, `, "evicted": `...)
	return strconv.AppendUint(dst, a.evicted, 10)
}

// AppendActors writes behind dst who was heard, sorted by name, with the time,
// code and seq of the last reply and the number of keywords that are known:
//
//	[{"name": "mount", "time": "2026-11-21T03:38:40.123456+00:00", "code": ":", "seq": 17, "keywords": 3}]
//
// "evicted": 3 follows seq if that many of the actor's keywords were forgotten.
func (s *Store) AppendActors(dst []byte) []byte {
	dst = append(dst, '[')
	for i, name := range slices.Sorted(maps.Keys(s.actors)) {
		a := s.actors[name]
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, `{"name": `...)
		dst = appendString(dst, name)
		dst = append(dst, ", "...)
		dst = a.last.append(dst)
		dst = a.appendEvicted(dst)
		dst = append(dst, `, "keywords": `...)
		dst = strconv.AppendInt(dst, int64(a.names()), 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// append writes a reply's time, code and seq.
func (f *source) append(dst []byte) []byte {
	dst = append(dst, `"time": "`...)
	dst = appendTime(dst, f.Time)
	dst = append(dst, `", "code": `...)
	dst = appendString(dst, f.Code)
	dst = append(dst, `, "seq": `...)
	return strconv.AppendUint(dst, f.Seq, 10)
}

// appendTime writes RFC 3339 in UTC with microseconds, by the one layout that
// package time has a short way for.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	dst = t.AppendFormat(dst, time.RFC3339)
	dst = append(dst[:len(dst)-len("Z")], '.')
	for micros, unit := t.Nanosecond()/1000, 100_000; unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+micros/unit%10))
	}
	return append(dst, "+00:00"...)
}

// appendString writes a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("snapshot: a string is no JSON: " + err.Error())
			}
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
