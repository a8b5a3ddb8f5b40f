package actor

// Code is a reply's message_code header, which says what the reply means for its command.
type Code string

// CLU's message codes (clu.tools.CommandStatus and clu.base.MessageCode).
const (
	Running  Code = ">" // the command was accepted and runs
	Info     Code = "i"
	Debug    Code = "d"
	Warning  Code = "w"
	Error    Code = "e" // something went wrong; the command goes on
	Done     Code = ":" // the command ended successfully
	Failed   Code = "f" // the command failed
	Critical Code = "!" // the command failed because of a critical error
)

// Ends reports whether a reply with this code is the command's last. An error
// does not end a command, and neither does a code that CLU does not know.
func (c Code) Ends() bool { return c == Done || c.Fails() }

// Fails reports whether a reply with this code ends the command as failed.
func (c Code) Fails() bool { return c == Failed || c == Critical }
