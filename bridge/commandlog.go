package bridge

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// maxLogged is how many commands a second get a line of their own in the log.
const maxLogged = 50

// commandLog logs each command and its outcome, one line each, and counts those beyond
// maxLogged in one more line. nil logs nothing.
type commandLog struct {
	log *slog.Logger

	// mu guards the following fields.
	mu     sync.Mutex
	logged int         // in this second
	more   int         // in this second, without a line of their own
	second *time.Timer // ends the second; nil between
}

func newCommandLog(log *slog.Logger) *commandLog { return &commandLog{log: log} }

// logCommand logs a command with its outcome.
func (b *Bridge) logCommand(s *outgoing, outcome string) {
	if b.commandLog.allow() {
		b.log.Info("command", "consumer", s.Consumer, "command_id", s.CommandID, "client", s.client.Remote(),
			"verb", firstWord(s.CommandString), "outcome", outcome, "ms", hub.Milliseconds(time.Since(s.receivedAt)))
	}
}

// maxVerbScan is how much of a command string is looked at for its first word, in bytes.
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

// allow reports whether another command may have a line of its own.
func (l *commandLog) allow() bool {
	if l == nil {
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

// flush logs how many commands had no line of their own. mu is held.
func (l *commandLog) flush() {
	if l.more > 0 {
		l.log.Info("more commands", "count", l.more)
		l.more = 0
	}
}

// end logs what is left.
func (l *commandLog) end() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.second != nil {
		l.second.Stop()
	}
	l.flush()
}
