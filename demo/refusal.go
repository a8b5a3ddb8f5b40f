package demo

import "fmt"

// refusal is why a device refuses a command: a whole sentence, which becomes the
// command's error as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }
