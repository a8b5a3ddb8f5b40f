package terminal

import (
	"bufio"
	"errors"
	"io"
	"sync"
)

// LinesPrompt reads lines that nobody types, such as those of a file, and prints no prompt.
type LinesPrompt struct {
	lines *bufio.Scanner
	mu    sync.Mutex // guards out
	out   io.Writer
}

// maxLine bounds a line.
const maxLine = 1 << 20

// NewLinesPrompt returns a prompt.
func NewLinesPrompt(in io.Reader, out io.Writer) *LinesPrompt {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	return &LinesPrompt{lines: lines, out: out}
}

// ReadLine implements [Prompt].
func (p *LinesPrompt) ReadLine() (string, error) {
	if p.lines.Scan() {
		return p.lines.Text(), nil
	}
	if err := p.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return "", Usage("a line has more than %d bytes; neither it nor what follows was sent", maxLine)
	} else if err != nil {
		return "", err
	}
	return "", io.EOF
}

// Write implements [Prompt].
func (p *LinesPrompt) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(lines)
}

// SetPrompt implements [Prompt].
func (p *LinesPrompt) SetPrompt(string) {}

// Interactive implements [Prompt].
func (p *LinesPrompt) Interactive() bool { return false }
