package model

// Outcome is what became of a question.
type Outcome uint8

// The outcomes of questions.
const (
	Answered Outcome = iota // the command was done
	Refused                 // the command failed, or did not end after very many replies
	TimedOut                // there was no answer in time
	Unsent                  // it did not reach the broker
	Unheard                 // nobody listens to the actor's commands, or no longer
	Dropped                 // the actor started anew, or another one answered
	outcomes
)

// String returns the outcome as metrics name it.
func (o Outcome) String() string {
	return [...]string{"answered", "refused", "timed_out", "unsent", "unheard", "dropped"}[o]
}

// Stats counts what was asked. Each question that is no longer open has one outcome.
type Stats struct {
	Asked    uint64
	Outcomes [outcomes]uint64
	Models   int // that are kept
	Bytes    int // of all of them, roughly
}

// Stats returns the counts.
func (m *Models) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Bytes = m.bytes
	for _, e := range m.entries {
		if e.model != nil {
			s.Models++
		}
	}
	return s
}
