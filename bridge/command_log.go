package bridge

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// maxLogged is how many commands a second get their own line in the log.
const maxLogged = 50

// commandLog logs each command and its outcome, one line each, and the number of those
// beyond maxLogged in one more line.
type commandLog struct {
	log *slog.Logger
	on  atomic.Bool // else nothing is logged

	// mu guards the following fields.
	mu     sync.Mutex
	logged int         // in this second
	more   int         // in this second, without their own line
	second *time.Timer // ends the second; nil between seconds
}

func newCommandLog(log *slog.Logger, on bool) *commandLog {
	l := &commandLog{log: log}
	l.on.Store(on)
	return l
}

// logCommand logs a command with its outcome.
func (b *Bridge) logCommand(s *outgoing, outcome string) {
	if b.commandLog.allow() {
		line := []any{"consumer", s.Consumer, "command_id", s.CommandID, "client", s.client.Remote(),
			"verb", firstWord(s.CommandString), "outcome", outcome, "ms", hub.Milliseconds(time.Since(s.receivedAt))}
		if p := s.principal; p != nil {
			line = append(line, "user", p.Name)
		}
		b.log.Info("command", line...)
	}
}

// maxVerbScan is how many bytes of a command string are searched for its first word.
const maxVerbScan = 1024

// firstWord returns the first word of a command string. The rest may contain anything, and
// is not logged.
func firstWord(commandString string) string {
	words := strings.Fields(commandString[:min(len(commandString), maxVerbScan)])
	if len(words) == 0 {
		return ""
	}
	return quote.Short(words[0])
}

// allow reports whether another command may have its own line.
func (l *commandLog) allow() bool {
	if !l.on.Load() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.second == nil {
		l.second = time.AfterFunc(time.Second, l.startSecond)
	}
	if l.logged >= maxLogged {
		l.more++
		return false
	}
	l.logged++
	return true
}

// startSecond starts the next second.
func (l *commandLog) startSecond() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	l.logged, l.second = 0, nil
}

// flush logs how many commands did not get their own line. mu is held.
func (l *commandLog) flush() {
	if l.more > 0 {
		l.log.Info("more commands", "count", l.more)
		l.more = 0
	}
}

// end logs the count that is not logged yet.
func (l *commandLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.second != nil {
		l.second.Stop()
	}
	l.flush()
}
