package history

import (
	"encoding/json"
	"strconv"
)

// finish writes a keyword that is decoded.
func (a *Answer) finish(r *reading) {
	if r.lost > a.query.From {
		a.evicted = append(a.evicted, r.keyword)
	}
	if !r.known {
		a.begin(r.keyword)
		a.buf = append(a.buf, `, "kind": null}`...)
		return
	}
	if r.numbers != nil {
		a.begin(r.keyword)
		a.buf = append(r.numbers.append(a.buf, r.silent), '}')
	}
	if r.states != nil && (r.numbers == nil || !r.states.onlyNull()) {
		a.begin(r.keyword)
		a.buf = append(r.states.append(a.buf, r.silent), '}')
	}
}

func (a *Answer) begin(keyword string) {
	if len(a.buf) > 0 {
		a.buf = append(a.buf, ", "...)
	}
	a.buf = appendString(append(a.buf, `{"keyword": `...), keyword)
}

// Append writes the answer's members that follow op and id: from, to, series, gaps and evicted.
func (a *Answer) Append(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `"from": `...), a.query.From, 10)
	dst = strconv.AppendInt(append(dst, `, "to": `...), a.query.To, 10)
	dst = append(append(append(dst, `, "series": [`...), a.buf...), ']')
	dst = appendSpans(append(dst, `, "gaps": `...), a.store.gapsIn(&a.query))
	dst = append(dst, `, "evicted": [`...)
	for i, keyword := range a.evicted {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendString(dst, keyword)
	}
	dst = append(dst, ']')
	if a.filling {
		dst = append(dst, `, "filling": true`...)
	}
	return dst
}

func appendString(dst []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string has no error
	return append(dst, quoted...)
}

func appendSpans(dst []byte, all []Span) []byte {
	dst = append(dst, '[')
	for i, s := range all {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendInt(append(dst, '['), s.From, 10)
		dst = strconv.AppendInt(append(dst, ", "...), s.To, 10)
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// appendList writes a list of n items.
func appendList(dst []byte, name string, n int, item func(dst []byte, i int) []byte) []byte {
	dst = append(append(append(dst, `, "`...), name...), `": [`...)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = item(dst, i)
	}
	return append(dst, ']')
}

func appendNumber(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(append(append(dst, `, "`...), name...), `": `...), n, 10)
}

// append writes the members of numbers.
func (r *numberReading) append(dst []byte, silent []Span) []byte {
	dst = append(dst, `, "kind": "number"`...)
	width := r.width
	if !r.many {
		width = 0
	}
	dst = appendNumber(dst, "bucket_ms", width)
	if r.minutesUntil > 0 && !r.minutes {
		dst = appendNumber(dst, "fine_from", r.minutesUntil)
	}
	dst = appendNumber(dst, "oldest", r.oldest)
	dst = appendNumber(dst, "until", r.heard)
	dst = appendSpans(append(dst, `, "silent": `...), silent)
	if !r.many {
		points := r.points()
		dst = appendList(dst, "t", len(points), func(dst []byte, i int) []byte { return strconv.AppendInt(dst, points[i].t, 10) })
		return appendList(dst, "last", len(points), func(dst []byte, i int) []byte { return points[i].v.append(dst) })
	}
	return r.appendBuckets(dst)
}

// appendBuckets writes buckets. The value that holds at from is one without values.
func (r *numberReading) appendBuckets(dst []byte) []byte {
	coarse := int64(minuteMS)
	if r.minutes {
		coarse = r.width
	}
	all := make([]bucket, 0, 1+len(r.coarse)+len(r.fine))
	if r.before.ok {
		b := newBucket(r.before.t)
		if b.last = r.before.v; b.last.mark == number {
			b.min, b.max = b.last, b.last
		}
		all = append(all, b)
	}
	for _, b := range r.coarse {
		b.start *= coarse
		all = append(all, b)
	}
	for _, b := range r.fine {
		b.start *= r.width
		all = append(all, b)
	}
	dst = appendList(dst, "t", len(all), func(dst []byte, i int) []byte { return strconv.AppendInt(dst, all[i].start, 10) })
	dst = appendList(dst, "min", len(all), func(dst []byte, i int) []byte { return all[i].min.append(dst) })
	dst = appendList(dst, "max", len(all), func(dst []byte, i int) []byte { return all[i].max.append(dst) })
	dst = appendList(dst, "last", len(all), func(dst []byte, i int) []byte { return all[i].last.append(dst) })
	return appendList(dst, "count", len(all), func(dst []byte, i int) []byte { return strconv.AppendInt(dst, all[i].count, 10) })
}

// append writes the members of states.
func (r *stateReading) append(dst []byte, silent []Span) []byte {
	all, width := r.spans()
	dst = append(dst, `, "kind": "state"`...)
	dst = appendNumber(dst, "bucket_ms", width)
	dst = appendNumber(dst, "oldest", r.oldest)
	dst = appendNumber(dst, "until", r.heard)
	dst = appendSpans(append(dst, `, "silent": `...), silent)
	dst = appendList(dst, "t", len(all), func(dst []byte, i int) []byte { return strconv.AppendInt(dst, all[i].t, 10) })
	dst = appendList(dst, "value", len(all), func(dst []byte, i int) []byte { return append(dst, all[i].value...) })
	if width > 0 {
		dst = appendList(dst, "count", len(all), func(dst []byte, i int) []byte { return strconv.AppendInt(dst, all[i].count, 10) })
	}
	return dst
}
