package terminal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// colours are the SGR codes of replies that ask for attention.
var colours = map[string]string{"w": "33", "e": "31", "f": "31;1", "!": "31;1", ":": "32", "d": "2"}

// writeReply writes a reply as a line without its end: as it came, or for people, as in
//
//	12:03:04.123 dome : dome_open=true dome_az_deg=101.5
func writeReply(w *bufio.Writer, r *Reply, asJSON, color bool) {
	if asJSON {
		writeEnvelope(w, r.Raw)
		return
	}
	if at := r.Heard; at.IsZero() {
		w.WriteString("--:--:--.---")
	} else {
		w.Write(at.UTC().AppendFormat(w.AvailableBuffer(), "15:04:05.000"))
	}
	colour := ""
	if color {
		colour = colours[r.Code]
	}
	w.WriteByte(' ')
	if colour != "" {
		w.WriteString("\x1b[" + colour + "m")
	}
	w.WriteString(visible(r.Sender))
	w.WriteByte(' ')
	w.WriteString(visible(r.Code))
	writeBody(w, r.Body)
	if colour != "" {
		w.WriteString("\x1b[0m")
	}
}

// writeEnvelope writes an envelope as it came. Ends of lines between its values become spaces, and control characters in its
// texts become escapes, which are the same values.
func writeEnvelope(w *bufio.Writer, raw []byte) {
	if !slices.ContainsFunc(raw, func(b byte) bool { return b < ' ' || b > '~' }) { // as nearly all are
		w.Write(raw)
		return
	}
	if bytes.ContainsAny(raw, "\n\r\t") { // in JSON, these stand between values only
		raw = bytes.Map(func(r rune) rune {
			if r == '\n' || r == '\r' || r == '\t' {
				return ' '
			}
			return r
		}, raw)
	}
	w.WriteString(visible(string(raw)))
}

// writeBody writes the keywords of a body in their order.
func writeBody(w *bufio.Writer, body json.RawMessage) {
	if len(body) == 0 || body[0] != '{' {
		w.WriteByte(' ')
		w.WriteString(plain(body))
		return
	}
	for members := jsonscan.MembersOf(body); ; {
		key, value, ok := members.Next()
		if !ok {
			return
		}
		w.WriteByte(' ')
		w.WriteString(visible(string(key)))
		w.WriteByte('=')
		w.WriteString(shownValue(value))
	}
}

// shownValue writes a value in a line of several: a text with a space keeps its quotes.
func shownValue(value json.RawMessage) string {
	if len(value) > 1 && value[0] == '"' && !bytes.ContainsAny(value, " \\=") {
		return visible(string(value[1 : len(value)-1]))
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		value = readable(value)
	}
	return visible(strings.TrimSpace(string(value)))
}

// readable returns a text without the escapes that it does not need: Python writes é as \u00e9.
func readable(value json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return value
	}
	if text != "" && text == visible(text) && !strings.ContainsAny(text, " \\=\"") {
		return json.RawMessage(text)
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil {
		return value
	}
	return quoted.Bytes()
}

// keywordIn returns the value of a keyword in a body, or nil.
func keywordIn(body json.RawMessage, keyword string) json.RawMessage {
	for members := jsonscan.MembersOf(body); ; {
		key, value, ok := members.Next()
		if !ok {
			return nil
		}
		if string(key) == keyword {
			return value
		}
	}
}
