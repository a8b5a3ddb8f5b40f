package demo

import "fmt"

// refusal is why a device does not do what it is asked: a whole sentence, which
// becomes the command's error as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }
