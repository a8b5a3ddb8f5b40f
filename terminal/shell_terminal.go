package terminal

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// TerminalPrompt is the prompt of a terminal: lines can be edited, recalled and completed while others print. It is
// golang.org/x/term's, which holds a lock over what is typed and what is printed, so that the line stays whole.
type TerminalPrompt struct {
	t       *term.Terminal
	keys    *keyReader
	history *history
	out     *heldWriter
	restore func()

	mu        sync.Mutex // guards completer
	completer completer
}

// NewTerminalPrompt takes the terminal over, until Close.
func NewTerminalPrompt(in, out *os.File, historyFile string) (*TerminalPrompt, error) {
	fd := int(in.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	keys := &keyReader{in: in}
	p := newTerminalPrompt(keys, out, openHistory(historyFile))
	resize := func() {
		if width, height, err := term.GetSize(int(out.Fd())); err == nil && width > 0 && height > 0 {
			_ = p.t.SetSize(width, height) // it fails only if the terminal does, which ends the input
		}
	}
	resize()
	stop := onResize(resize)
	p.t.SetBracketedPasteMode(true)
	p.restore = func() {
		stop()
		p.t.SetBracketedPasteMode(false)
		_ = term.Restore(fd, before)
	}
	return p, nil
}

func newTerminalPrompt(keys *keyReader, out io.Writer, h *history) *TerminalPrompt {
	p := &TerminalPrompt{keys: keys, history: h, out: &heldWriter{w: out}}
	p.t = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, p.out}, "")
	p.t.History = h
	p.t.AutoCompleteCallback = p.key
	return p
}

// Close gives the terminal back.
func (p *TerminalPrompt) Close() error {
	_, err := p.Write([]byte("\n"))
	p.restore()
	return err
}

// ReadLine implements [Prompt].
func (p *TerminalPrompt) ReadLine() (string, error) {
	line, err := p.t.ReadLine()
	if errors.Is(err, term.ErrPasteIndicator) {
		return line, ErrPasted
	}
	return line, err
}

// Write implements [Prompt]. The line is taken away, the lines are printed, and it is drawn again: the terminal gets that as
// one, so that it does not flicker.
func (p *TerminalPrompt) Write(lines []byte) (int, error) {
	p.out.hold()
	n, err := p.t.Write(lines)
	return n, errors.Join(err, p.out.release())
}

// SetPrompt implements [Prompt]. It is shown with the next change of the line.
func (p *TerminalPrompt) SetPrompt(prompt string) {
	p.t.SetPrompt(prompt)
	_, _ = p.Write(nil) // draws the line anew
}

// Interactive implements [Prompt].
func (p *TerminalPrompt) Interactive() bool { return true }

func (p *TerminalPrompt) setCompleter(c completer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.completer = c
}

// The keys that the editor leaves to its callback.
const (
	keyTab       = '\t'
	keySearch    = 18 // Ctrl-R
	keyInterrupt = 29 // in place of Ctrl-C, see keyReader
	ctrlC        = 3
)

// key handles a key.
func (p *TerminalPrompt) key(line string, at int, key rune) (string, int, bool) {
	switch key {
	case keyTab:
		p.mu.Lock()
		complete := p.completer
		p.mu.Unlock()
		if complete == nil {
			return line, at, true
		}
		next, list := completed(line[:at], complete(line[:at]))
		if list != "" {
			_, _ = p.Write([]byte(list))
		}
		return next + line[at:], len(next), true
	case keySearch:
		found := p.history.search(line)
		return found, len(found), true
	case keyInterrupt:
		if line == "" {
			p.keys.interrupt()
		}
		return "", 0, true
	}
	p.history.endSearch()
	return "", 0, false
}

// keyReader reads keys. The editor would end for good with Ctrl-C, so that comes as another key, which clears the line; if
// that is empty, the next read has the error [ErrInterrupt], which the editor returns once.
type keyReader struct {
	in io.Reader

	mu      sync.Mutex // guards pending
	pending bool       // an interrupt
}

func (k *keyReader) Read(p []byte) (int, error) {
	k.mu.Lock()
	pending := k.pending
	k.pending = false
	k.mu.Unlock()
	if pending {
		return 0, ErrInterrupt
	}
	n, err := k.in.Read(p)
	for i := range p[:n] {
		if p[i] == ctrlC {
			p[i] = keyInterrupt
		}
	}
	return n, err
}

func (k *keyReader) interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = true
}

// heldWriter can hold back what is written, to write it at once.
type heldWriter struct {
	mu   sync.Mutex // guards the following fields
	w    io.Writer
	held int // how often
	text []byte
}

func (h *heldWriter) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held++
}

func (h *heldWriter) release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held--; h.held > 0 || len(h.text) == 0 {
		return nil
	}
	_, err := h.w.Write(h.text)
	h.text = h.text[:0]
	return err
}

func (h *heldWriter) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == 0 {
		return h.w.Write(p)
	}
	h.text = append(h.text, p...)
	return len(p), nil
}
