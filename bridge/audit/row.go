package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// timeForm is RFC 3339 in UTC with microseconds.
const timeForm = "2006-01-02T15:04:05.000000Z07:00"

// encode returns an event as a row: the time, the kind of event, and its fields.
func encode(now time.Time, event string, e any) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"time":%q,"event":%q`, now.UTC().Format(timeForm), event)
	fields := bytes.NewBuffer(nil)
	to := json.NewEncoder(fields)
	to.SetEscapeHTML(false)
	if err := to.Encode(e); err != nil { // such as grants that are not JSON
		fmt.Fprintf(&b, `,"error":%q}`+"\n", "this event cannot be encoded")
		return b.Bytes()
	}
	rest := bytes.TrimSuffix(fields.Bytes(), []byte("\n"))
	if len(rest) > len("{}") {
		b.WriteByte(',')
	}
	writePrintable(&b, rest[1:])
	b.WriteByte('\n')
	return b.Bytes()
}

// writePrintable writes JSON, and escapes what [json.Marshal] does not and a terminal may obey
// or hide: controls beyond ASCII, DEL, and formatting characters such as those that reverse the
// direction of a text (Unicode category Cf).
func writePrintable(b *bytes.Buffer, text []byte) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r < utf8.RuneSelf && r != 0x7f, !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			b.Write(text[:size])
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, r&0x3ff+0xdc00
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
		text = text[size:]
	}
}

// maxCut is the length to which a command string is cut, in bytes: in syslog, whose daemons cut or
// drop messages of more than 8 KiB, and of a command that was refused, which costs its sender
// nothing.
const maxCut = 1 << 10

// cut returns a text of at most maxCut bytes, and the length of one that was longer, else 0.
func cut(text string) (short string, length int) {
	if len(text) <= maxCut {
		return text, 0
	}
	return strings.ToValidUTF8(text[:maxCut], ""), len(text)
}

// fit returns a command whose row fits into one message of syslog, if it goes there.
func (l *Log) fit(c Command) Command {
	if l != nil && l.cfg.Target == Syslog {
		c.CommandString, c.Bytes = cut(c.CommandString)
	}
	return c
}
