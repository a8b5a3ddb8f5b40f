package bridge

import (
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// A late command is harmful: a telescope must not move long after it was told to.

// tooLate returns an error if a command would be sent too late: not within a time after it was
// read, or after it has expired.
func tooLate(in incoming, within time.Duration, expires time.Time) error {
	if in.late > 0 {
		return &protocol.Rejection{Code: protocol.CodeExpired, Message: "The command was not sent: the bridge stood still for " + seconds(in.late) + "."}
	}
	// Do not use the monotonic clock, which stands still while the machine is suspended.
	if waited := time.Now().Round(0).Sub(in.receivedAt.Round(0)); waited > within {
		return &protocol.Rejection{Code: protocol.CodeExpired, Message: "The command was not sent: it waited at the bridge for " + seconds(waited) + "."}
	}
	if over := time.Since(expires); !expires.IsZero() && over >= 0 {
		return &protocol.Rejection{Code: protocol.CodeExpired, Message: "The command was not sent: it expired " + seconds(over) + " ago, by the bridge's clock."}
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
