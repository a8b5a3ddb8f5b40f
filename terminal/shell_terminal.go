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
	p := &TerminalPrompt{keys: keys, history: h}
	p.t = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, out}, "")
	p.t.History = h
	p.t.AutoCompleteCallback = p.key
	return p
}

// Close gives the terminal back.
func (p *TerminalPrompt) Close() error {
	_, err := p.t.Write([]byte("\n"))
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

// Write implements [Prompt].
func (p *TerminalPrompt) Write(lines []byte) (int, error) { return p.t.Write(lines) }

// SetPrompt implements [Prompt]. It is shown with the next change of the line.
func (p *TerminalPrompt) SetPrompt(prompt string) {
	p.t.SetPrompt(prompt)
	_, _ = p.t.Write(nil) // draws the line anew
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
			_, _ = p.t.Write([]byte(list))
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
