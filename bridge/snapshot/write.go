package snapshot

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (k *keyword) entry() Entry {
	e := k.from.entry()
	e.Keyword, e.TooLarge = k.name, k.tooLarge
	return e
}

func (f *keptReply) entry() Entry {
	e := f.Entry
	if f.names != nil {
		e.Keywords, e.Known = f.names.names, true
	}
	return e
}

// append writes an actor with some of its keywords:
//
//	"mount": {"time": "2026-11-21T03:38:40.123456+00:00", "code": ":", "seq": 17,
//	  "interval_ms": 1000, "consumer": true, "keywords": {
//	  "ra": {"value": 1.5, "time": "2026-11-21T03:38:39.000000+00:00", "code": "i", "seq": 12}}}
//
// The actor's time, code and seq are those of its last reply, whatever its body. "evicted": 3 comes
// before the keywords if that many were evicted. A keyword whose last value is too large has
// "too_large": 70000, its length in bytes, in place of the value; one that was set by an internal
// reply ends with "internal": true.
func (a *actorView) append(dst []byte, keywords []*keyword) []byte {
	dst = appendString(dst, a.name)
	dst = append(dst, ": {"...)
	dst = a.last.append(dst)
	dst = a.live.append(dst)
	dst = appendEvicted(dst, a.evicted)
	dst = append(dst, `, "keywords": {`...)
	var written *keptReply // whose text is dst[from:to]
	var from, to int
	for i, k := range keywords {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendString(dst, k.name)
		dst = append(dst, ": {"...)
		dst = k.appendValue(dst)
		// Neighbours were often set by the same reply: its text is copied.
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

func appendEvicted(dst []byte, evicted uint64) []byte {
	if evicted == 0 {
		return dst
	}
	dst = append(dst, `, "evicted": `...)
	return strconv.AppendUint(dst, evicted, 10)
}

// Actors is a view of all actors, see [Store.Actors].
type Actors []actorView

// Append appends all actors to dst, sorted by name, with the time, code and seq of the
// last reply and the number of known keywords:
//
//	[{"name": "mount", "time": "2026-11-21T03:38:40.123456+00:00", "code": ":", "seq": 17,
//	  "interval_ms": 1000, "consumer": true, "keywords": 3}]
//
// "evicted": 3 comes before keywords if that many of the actor's keywords were evicted.
func (all Actors) Append(dst []byte) []byte {
	slices.SortFunc(all, func(a, b actorView) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '[')
	for i := range all {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, `{"name": `...)
		dst = appendString(dst, all[i].name)
		dst = append(dst, ", "...)
		dst = all[i].last.append(dst)
		dst = all[i].live.append(dst)
		dst = appendEvicted(dst, all[i].evicted)
		dst = append(dst, `, "keywords": `...)
		dst = strconv.AppendInt(dst, int64(all[i].names()), 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// names counts the names of an actor's keywords. One that is both public and internal counts once.
func (a *actorView) names() int {
	if !a.mixed {
		return len(a.keywords)
	}
	names := make(map[string]bool, len(a.keywords))
	for _, k := range a.keywords {
		names[k.name] = true
	}
	return len(names)
}

// append writes a reply's time, code and seq.
func (f *keptReply) append(dst []byte) []byte {
	dst = append(dst, `"time": "`...)
	dst = appendTime(dst, f.Time)
	dst = append(dst, `", "code": `...)
	dst = appendString(dst, f.Code)
	dst = append(dst, `, "seq": `...)
	return strconv.AppendUint(dst, f.Seq, 10)
}

// appendTime writes RFC 3339 in UTC with microseconds. It uses the layout that package time formats
// fastest.
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
